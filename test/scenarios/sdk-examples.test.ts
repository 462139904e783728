// Compiles and runs the examples of the guide to the client library, as a project that has installed the package.
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testStack, type Stack } from "../support/stack.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { readDocument } from "../docs/documents.ts";
import { markedBlocks } from "../docs/marks.ts";

const run = promisify(execFile);
const repository = path.resolve(".");
const examples = markedBlocks(readDocument("docs/guides/sdk.md")).flatMap(({ mark: { file }, text }) =>
  file === undefined ? [] : [{ file, text }],
);

let stack: Stack;
beforeAll(async () => (stack = await testStack()));
afterAll(() => stack.stop());

test("the examples compile, and print what they should", async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, "node_modules"));
  await symlink(repository, path.join(folder, "node_modules", "taskyard-ci"));
  await symlink(path.join(repository, "node_modules", "@types"), path.join(folder, "node_modules", "@types"));
  for (const { file, text } of examples) await writeFile(path.join(folder, file), text);
  // The package has declarations only when it is packed.
  const paths = {
    "taskyard-ci": [path.join(repository, "src/client/index.ts")],
    "taskyard-ci/node": [path.join(repository, "src/client/node/index.ts")],
  };
  const files = examples.map(({ file }) => file);
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(
    path.join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: path.join(repository, "tsconfig.json"),
      compilerOptions: { paths, rootDir: "/" },
      include: [],
      files,
    }),
  );
  const tsc = path.join(repository, "node_modules", "typescript", "bin", "tsc");
  await run(process.execPath, [tsc, "-p", folder]).catch((error: unknown) => {
    throw new Error(error instanceof Error && "stdout" in error ? String(error.stdout) : String(error));
  });
  const tsx = path.join(repository, "node_modules", "tsx", "dist", "loader.mjs");
  const printed = await Promise.all(
    files.map(async (file) => {
      const options = { cwd: folder, env: { PATH: process.env["PATH"], ...stack.env } };
      const { stdout } = await run(process.execPath, ["--import", tsx, file], options);
      return stdout;
    }),
  );
  expect(printed[0]).toMatch(/is completed\n404: /);
  expect(printed[1]).toMatch(/sent 12 of 12 bytes\ntext\/plain [0-9a-f]{64}\nall is well\n/);
  expect(await readFile(path.join(folder, "copy.txt"), "utf8")).toBe("all is well\n");
});
