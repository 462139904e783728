// What the client loads: it runs in browsers, and in programs that need nothing of the server.
import { expect, it } from "vitest";
import { bundleClient } from "../support/client-bundle.ts";

const { metafile, script } = await bundleClient();
const inputs = Object.keys(metafile.inputs);

it("the client consists of the contract, lib and three packages", () => {
  const folders = inputs.map((file) => /^(?:.*node_modules\/(?:@[^/]+\/)?[^/]+|src\/[^/]+)/.exec(file)?.[0]);
  const names = new Set(folders.map((folder) => folder?.replace(/^.*node_modules\//, "")));
  expect([...names].map(String).toSorted()).toEqual([
    "@noble/hashes",
    "eventsource-parser",
    "src/api",
    "src/client",
    "src/lib",
    "typebox",
  ]);
});

it("the client imports no module of Node", () => {
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports);
  expect(imported.filter(({ path, external }) => external === true || path.startsWith("node:"))).toEqual([]);
  expect(inputs).not.toContain("src/client/node/save-download.ts");
});

it("the client is small enough for a web page", () => {
  expect(script.length).toBeLessThan(400_000);
});
