import { expect, test } from "vitest";
import { configOf, type PartialConfig } from "./config/index.ts";
import { localAccess } from "./local-access.ts";

test.each<[PartialConfig, string]>([
  [{}, "results"],
  [{ server: { host: "::1" } }, "results"],
  [{ server: { host: "localhost" } }, "results"],
  [{ server: { host: "127.0.1.1" } }, "results"],
  [{ server: { host: "0.0.0.0" } }, "closed"],
  [{ server: { host: "::" } }, "closed"],
  [{ server: { host: "10.0.0.7" } }, "closed"],
  [{ server: { host: "127.example.com" } }, "closed"],
  // A proxy on this machine may serve others.
  [{ server: { rootUrl: "https://ci.example.com" } }, "closed"],
  [{ server: { trustProxy: true } }, "closed"],
  [{ access: "closed" }, "closed"],
  [{ access: "open", server: { host: "0.0.0.0" } }, "open"],
])("the access of a local server with the settings %j is %s", (settings, access) => {
  expect(localAccess(configOf(settings))).toBe(access);
});
