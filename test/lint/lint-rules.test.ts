// Checks that the rules of .oxlintrc.json detect violations. A rule that never matches would go unnoticed.
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
let dir: string;

/** Files of a small tree, each with the message that the linter must report, or `undefined` if it must accept the file. */
const planted: readonly (readonly [file: string, source: string, message: RegExp | undefined])[] = [
  ["src/lib/a.ts", `export { a } from "../api/a.ts";`, /lib is/],
  ["src/api/a.ts", `export { a } from "../client/a.ts";`, /it may only import lib/],
  ["src/client/a.ts", `export { a } from "../server/core/a.ts";`, /it may only import api and lib/],
  ["src/client/b.ts", `export { join } from "node:path";`, /browsers/],
  ["src/worker/a.ts", `export { a } from "../server/index.ts";`, /by its API alone/],
  ["src/cli/a.ts", `export { a } from "../server/index.ts";`, /await import/],
  ["src/server/main.ts", `export { a } from "../worker/a.ts";`, /does not know its callers/],
  [
    "src/server/main2.ts",
    `export { a } from "./services/new/store.ts";`,
    /services\/new may be imported only through/,
  ],
  ["src/server/main3.ts", `export { a } from "./services/new/index.ts";`, undefined],
  ["src/server/list.ts", `export { a } from "./services/new/settings.ts";`, undefined],
  ["src/server/main4.ts", `export { a } from "./pages/layout.ts";`, /pages may be imported only through/],
  [
    "src/server/services/new/index.ts",
    `export { a } from "../other/store.ts";`,
    /services\/other may be imported only/,
  ],
  [
    "src/server/services/new/a.ts",
    `export type { A } from "../other/a.ts";`,
    /services\/other may be imported only/,
  ],
  ["src/server/services/new/b.ts", `export { a } from "../other/index.ts";`, undefined],
  [
    "src/server/services/new/deep/a.ts",
    `export { a } from "../../other/deep/a.ts";`,
    /services\/other may be imported only/,
  ],
  ["src/server/services/new/deep/b.ts", `export { a } from "../inside/a.ts";`, undefined],
  ["src/server/services/new/deep/c.ts", `export { a } from "../../../core/db.ts";`, undefined],
  [
    "src/server/services/new/deep/d.ts",
    `export { a } from "../../../db/migrate.ts";`,
    /src\/server\/db may be imported only/,
  ],
  [
    "src/server/services/new/e.ts",
    `export const a = import("../other/a.ts");`,
    /services\/other may be imported only/,
  ],
  [
    "src/server/core/a.ts",
    `export { a } from "../services/new/index.ts";`,
    /core is the foundation of the server/,
  ],
  ["src/server/core/deep/a.ts", `export { a } from "../../main.ts";`, /core is the foundation of the server/],
  ["src/server/core/deep/b.ts", `export { a } from "../a.ts";`, undefined],
  [
    "src/cli/b.ts",
    `import { CliError } from "./cli-error.ts";\nexport const error = (run: string) => new CliError(\`run \${run} failed\`);`,
    /does not name a next step: "run … failed"/,
  ],
  [
    "src/cli/c.ts",
    `import { CliError } from "./cli-error.ts";\nexport const error = (run: string) => new CliError(\`run \${run} failed: rerun it\`);`,
    undefined,
  ],
  [
    "src/server/services/new/f.ts",
    `import { ApiError } from "../../../lib/errors.ts";\nexport const error = new ApiError("InputError", "The limit was reached.");`,
    /does not name a next step/,
  ],
  [
    "src/server/services/new/g.ts",
    `import { ApiError } from "../../../lib/errors.ts";\nexport const error = new ApiError("InputError", "a has 3 members, and may have at most 2.");`,
    undefined,
  ],
  [
    "src/worker/h.ts",
    `import { MalformedPayloadError } from "./outcome.ts";\nexport const error = new MalformedPayloadError(["payload.a is 3"]);`,
    /does not name a next step: "payload.a is 3"/,
  ],
  ["src/server/i.ts", `export const error = new Error("the port is in use");`, /does not name a next step/],
  ["src/server/j.ts", `export const error = (cause: unknown) => new Error(String(cause));`, undefined],
  [
    "src/server/k.ts",
    `import { InternalError } from "../lib/internal-error.ts";\nexport const error = new InternalError("no row");`,
    undefined,
  ],
  [
    "src/server/l.ts",
    `export const found = { key: "a", problem: "is odd" };`,
    /does not name a next step: "is odd"/,
  ],
  [
    "src/client/m.ts",
    `export class CutError extends Error {\n  constructor() {\n    super("the connection was cut");\n  }\n}`,
    /does not name a next step: "the connection was cut"/,
  ],
  ["src/lib/circle.ts", `import type { B } from "./circle2.ts";\nexport interface A { b: B }`, /cycle/],
  ["src/lib/circle2.ts", `import type { A } from "./circle.ts";\nexport interface B { a: A }`, /cycle/],
];

let report: { readonly filename: string; readonly message: string; readonly help?: string }[];

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "taskyard-lint-"));
  await cp(path.join(root, ".oxlintrc.json"), path.join(dir, ".oxlintrc.json"));
  await cp(path.join(root, "scripts/lint"), path.join(dir, "scripts/lint"), { recursive: true });
  for (const [file, source] of planted) {
    await mkdir(path.join(dir, path.dirname(file)), { recursive: true });
    await writeFile(path.join(dir, file), `${source}\n`);
  }
  const oxlint = path.join(root, "node_modules/oxlint/bin/oxlint");
  const run = promisify(execFile)(process.execPath, [oxlint, "--format=json"], { cwd: dir });
  // It exits with 1 because it reports violations.
  const { stdout } = (await run.catch((err: unknown) => err)) as { stdout: string };
  report = (JSON.parse(stdout) as { diagnostics: typeof report }).diagnostics;
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it.each(planted)("%s: %s", (file, _source, message) => {
  const found = report
    .filter(({ filename }) => filename === file)
    .map(({ message: text, help = "" }) => `${text} ${help}`);
  if (message === undefined) expect(found).toEqual([]);
  else expect(found).toEqual(expect.arrayContaining([expect.stringMatching(message) as unknown]));
});
