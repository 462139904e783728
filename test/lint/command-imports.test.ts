// What every command loads at its start. Half of the CPU time of a command that calls a server is for loading its code.
import { isBuiltin } from "node:module";
import { expect, it } from "vitest";
import { importsOf } from "./imports-of.ts";

it("a command loads parsers, validators, the worker and the server only if it needs them", async () => {
  const all = await importsOf("src/cli/main.ts", () => false);
  const ours = (name: string) => name.startsWith("src/");
  const packages = all.filter((name) => !ours(name) && !isBuiltin(name));
  expect(packages.sort()).toEqual(["eventsource-parser", "typebox", "yocto-spinner"]);
  const onDemand = (name: string) => name.startsWith("src/server/") || name === "src/worker/main.ts";
  expect(all.filter(onDemand)).toEqual([]);
});
