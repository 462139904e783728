import { describe, expect, it } from "vitest";
import { catalog, type CatalogEntry, type ConfigKey } from "./catalog.ts";
import type { ReadResult } from "./check-value.ts";
import { readText, readValue } from "./read-value.ts";

const base = { folder: "/etc/taskyard", userHome: "/home/ann" };
const client = { clientId: "static/ci", accessToken: "x".repeat(22), scopes: ["queue:*"] };

function entry(key: ConfigKey): CatalogEntry {
  const found = catalog.get(key);
  if (found === undefined) throw new Error(key);
  return found;
}

/** Returns the problems as one text, or the loaded value. */
const outcome = (read: ReadResult): unknown => ("value" in read ? read.value : read.problems.join("; "));

const row = <T>(key: ConfigKey, given: T, expected: unknown) => ({ key, given, expected });

describe("readText", () => {
  it.each([
    row("queue.claimTimeout", "1200s", 1_200_000),
    row("server.bodyLimit", "2MiB", 2_097_152),
    row("server.port", "0", 0),
    row("server.trustProxy", "true", true),
    row("server.rootUrl", "https://ci.example.com//", "https://ci.example.com"),
    row("home", "~", "/home/ann"),
    row("home", "~/x", "/home/ann/x"),
    row("home", "x/../y", "/etc/taskyard/y"),
    row("home", "/srv", "/srv"),
    row("auth.anonymousScopes", "queue:status:*, queue:get-task:*,", ["queue:status:*", "queue:get-task:*"]),
    row("auth.anonymousScopes", " []", []),
    row("auth.staticClients", JSON.stringify([client]), [client]),
    row("worker.taskQueueId", "proj_1/ci-linux", "proj_1/ci-linux"),
    row("monitor.sentryDsn", "https://key@sentry.example.com/a/42", "https://key@sentry.example.com/a/42"),
  ])("reads $key from $given", ({ key, given, expected }) => {
    expect(outcome(readText(entry(key), given, base))).toEqual(expected);
  });

  it.each([
    row("queue.claimTimeout", "20", "has no unit: write a duration such as 20m, 1200s or 500ms"),
    row("queue.claimTimeout", "0s", "must be at least 1ms"),
    row("queue.claimWorkTimeout", "1h", "must be at most 5m"),
    row("server.bodyLimit", "1B", "must be at least 1KiB"),
    row(
      "server.bodyLimit",
      "10mb",
      'has the unknown unit "mb": use one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB',
    ),
    row("server.port", "http", "must be a whole number"),
    row("server.port", "70000", "must be at most 65535"),
    row("server.port", "-1", "must be at least 0"),
    row("server.trustProxy", "yes", "must be true or false"),
    row("server.rootUrl", "localhost:80", "must be a URL such as https://taskyard.example.com"),
    row("log.level", "loud", "must be one of trace, debug, info, warn, error, fatal, silent"),
    row(
      "worker.taskQueueId",
      "a/B",
      "must be a provisioner id, a slash and a worker type in lower case, such as local/default",
    ),
    row("worker.workerId", "a b", "must be 1 to 38 characters of A-Z a-z 0-9 _ -"),
    row("auth.anonymousScopes", '["a"', "starts with [ like a list in JSON, but is not valid JSON"),
    row("auth.anonymousScopes", "[1]", "[0] must be text"),
    row("auth.anonymousScopes", "a,ü", "[1] must be a scope of printable ASCII characters"),
    row("auth.staticClients", "a,b", "must be a list in JSON, such as [] or [{…}]"),
    row("auth.rootAccessToken", "short", "must be 22 to 66 characters of A-Z a-z 0-9 _ -"),
    row("auth.secret", "short", "must be 22 characters or more"),
    row("database.url", "mysql://h/d", "must be a URL such as postgres://user:password@host:5432/taskyard"),
    row(
      "monitor.sentryDsn",
      "https://sentry.example.com",
      "must be a DSN such as https://key@sentry.example.com/42",
    ),
  ])("refuses $given for $key", ({ key, given, expected }) => {
    expect(outcome(readText(entry(key), given, base))).toBe(expected);
  });
});

describe("readValue", () => {
  it.each([
    row("queue.claimTimeout", 20, "is a bare number: write a duration with its unit, such as 20m"),
    row("queue.claimTimeout", true, "must be a duration, such as 20m"),
    row("server.bodyLimit", 100, "is a bare number: write a size with its unit, such as 10MB"),
    row("server.port", "80", "must be a whole number: remove the quotes"),
    row("server.port", 1.5, "must be a whole number"),
    row("server.trustProxy", "true", "must be true or false: remove the quotes"),
    row("server.trustProxy", 1, "must be true or false"),
    row("server.host", [1], "must be text"),
    row("server.host", "", "must not be empty"),
    row("home", 7, "must be text"),
    row("auth.anonymousScopes", "x", "must be a list"),
    row("auth.staticClients", [3], "[0] must be an object"),
    row("log.level", 1, "must be one of trace, debug, info, warn, error, fatal, silent"),
  ])("refuses $given for $key", ({ key, given, expected }) => {
    expect(outcome(readValue(entry(key), given, base))).toBe(expected);
  });

  it("reports the element and member of a list that is wrong", () => {
    const { accessToken, ...rest } = client;
    const clients = [client, { ...rest, accesToken: accessToken, clientId: "ci" }];
    expect(readValue(entry("auth.staticClients"), clients, base)).toEqual({
      problems: [
        '[1] needs the member "accessToken"',
        '[1] has the unknown member "accesToken"; did you mean "accessToken"?',
        "[1].clientId must be a client id that starts with static/",
      ],
    });
  });
});
