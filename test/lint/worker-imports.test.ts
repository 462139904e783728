// `taskyard worker` reads the configuration, which the server declares, and loads nothing else of the server.
import { build } from "esbuild";
import { expect, it } from "vitest";

/** What a worker needs to read the configuration file and to write its log. */
const allowed = [
  /^configure\.ts$/,
  // Their settings only; a server loads the rest on demand.
  /^services\.ts$/,
  /^config\//,
  /^core\/config\//,
  /^core\/service\.ts$/,
  // The form in which a key is written.
  /^core\/encryption\/encryption-key\.ts$/,
  /^core\/log\.ts$/,
  /^services\/[a-z-]+\/settings\.ts$/,
];

/** Loads the services of a server on demand, as a worker never does. */
const serverOnly = "src/server/services.ts";

/** Returns the files that a file imports, directly or not, also on demand. Types do not count. */
async function importsOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    outdir: "dist",
    splitting: true,
    packages: "external",
  });
  // A set includes what is added during the iteration.
  const found = new Set([entry]);
  for (const file of found)
    for (const { path, kind } of metafile.inputs[file]?.imports ?? [])
      if (file !== serverOnly || kind !== "dynamic-import") found.add(path);
  return [...found];
}

const ofServer = (files: readonly string[]): string[] =>
  files.flatMap((file) => (file.startsWith("src/server/") ? [file.slice("src/server/".length)] : []));

it("finds the files that are imported on demand", async () => {
  expect(ofServer(await importsOf("src/cli/up.ts"))).toContain("main.ts");
});

it("a worker imports only the configuration and the log of the server's files", async () => {
  const files = ofServer(await importsOf("src/cli/worker.ts"));
  expect(files).toContain("config/load-config.ts");
  expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
});

it("the worker of `taskyard up` imports none of them", async () => {
  expect(ofServer(await importsOf("src/cli/worker-process.ts"))).toEqual([]);
});
