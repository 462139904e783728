// `taskyard worker` reads the configuration, which the server declares, and loads nothing else of the server.
import { expect, it } from "vitest";
import { importsOf } from "./imports-of.ts";

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

/** Returns what a file imports, also on demand. The list of services loads the rest of them only for a server. */
const importsOnDemandOf = (entry: string): Promise<string[]> =>
  importsOf(entry, (file) => file !== "src/server/services.ts");

const ofServer = (files: readonly string[]): string[] =>
  files.flatMap((file) => (file.startsWith("src/server/") ? [file.slice("src/server/".length)] : []));

it("finds the files that are imported on demand", async () => {
  expect(ofServer(await importsOnDemandOf("src/cli/up.ts"))).toContain("main.ts");
});

it("a worker imports only the configuration and the log of the server's files", async () => {
  const files = ofServer(await importsOnDemandOf("src/cli/worker/worker.ts"));
  expect(files).toContain("config/load-config.ts");
  expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
});

it("the worker of `taskyard up` imports none of them", async () => {
  expect(ofServer(await importsOnDemandOf("src/cli/worker-process.ts"))).toEqual([]);
});
