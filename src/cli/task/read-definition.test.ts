import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliError } from "../cli-error.ts";
import { parseYaml } from "../parse-yaml.ts";
import { readDefinition } from "./read-definition.ts";
import { relativeMs } from "./relative-time.ts";

const now = Date.UTC(2026, 0, 31, 12);
const metadata = { name: "n", description: "", owner: "me@example.com", source: "https://example.com" };
const minimal = { taskQueueId: "proj/linux", payload: {}, metadata };

const readText = (source: string) => readDefinition(parseYaml(source, "t.yml"), "t.yml", now);
const read = (parsed: unknown) => readText(JSON.stringify(parsed));

/** The message of the error. */
const errorOf = (source: string): string => {
  try {
    readText(source);
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  throw new Error("the definition was accepted");
};

const problemsOf = (source: string) => errorOf(source).split("\n");

test("missing times have defaults, which are reported", () => {
  expect(read(minimal)).toEqual({
    definition: { ...minimal, created: "2026-01-31T12:00:00.000Z", deadline: "2026-02-01T12:00:00.000Z" },
    defaults: ["created: now", "deadline: in 1 day"],
  });
});

test("times may be relative, absolute, or parsed by YAML", () => {
  const times = { created: "now", deadline: { $fromNow: "2 hours" }, expires: new Date(now + 1000) };
  expect(read({ ...minimal, ...times })).toEqual({
    definition: {
      ...minimal,
      created: "2026-01-31T12:00:00.000Z",
      deadline: "2026-01-31T14:00:00.000Z",
      expires: "2026-01-31T12:00:01.000Z",
    },
    defaults: [],
  });
  const absolute = { created: "2026-01-31T11:59:00Z", deadline: "2026-02-01T00:00:00Z" };
  expect(read({ ...minimal, ...absolute }).definition).toMatchObject(absolute);
});

test("times may be relative anywhere in the payload", () => {
  const artifact = { type: "file", path: "x", name: "public/x", expires: { $fromNow: "6 months" } };
  const payload = { command: [["x"]], maxRunTime: 60, artifacts: [artifact] };
  const expires = { $fromNow: "1 year" };
  expect(read({ ...minimal, expires, payload }).definition).toMatchObject({
    expires: "2027-01-31T12:00:00.000Z",
    payload: { ...payload, artifacts: [{ ...artifact, expires: "2026-07-30T12:00:00.000Z" }] },
  });
});

test("a $fromNow that is no relative time is refused as such, wherever it is", () => {
  const artifact = { type: "file", path: "x", name: "public/x", expires: { $fromNow: "1.5 days" } };
  const payload = { command: [["x"]], maxRunTime: 60, artifacts: [artifact] };
  const message = errorOf(
    JSON.stringify({ ...minimal, deadline: { $fromNow: "1 fortnight" }, payload }, null, 1),
  );
  expect(message).toMatch(
    /:\d+:\d+: deadline: \$fromNow: 1 fortnight is not a relative time such as 2 hours or 1 year 6 months\n/,
  );
  expect(message).toMatch(
    /:\d+:\d+: payload\.artifacts\.0\.expires: \$fromNow: 1\.5 days is not a relative time/,
  );
  expect(message).not.toContain("must be string");
});

test("numbers are text where strings are needed, as written", () => {
  const { definition } = readText(`
taskQueueId: proj/linux
metadata: { name: 3.10, description: 0x10, owner: me, source: "https://example.com" }
tags: { python: 3.10, build: 007 }
extra: { version: 3.10, build: 007, text: "3.10" }
payload: { command: [[python, 3.10]], maxRunTime: 0600, env: { SHA: 1234567e8, ON: True } }
`);
  expect(definition).toMatchObject({
    metadata: { name: "3.10", description: "0x10" },
    tags: { python: "3.10", build: "007" },
    extra: { version: 3.1, build: 7, text: "3.10" },
    payload: { command: [["python", "3.10"]], maxRunTime: 600, env: { SHA: "1234567e8", ON: "True" } },
  });
  const other = `{ taskQueueId: a/b, metadata: ${JSON.stringify(metadata)}, payload: { image: x, n: 3.10, env: { V: 3.10 } } }`;
  expect(readText(other).definition.payload).toEqual({ image: "x", n: 3.1, env: { V: "3.10" } });
});

describe("an invalid definition", () => {
  test("is rejected with every problem and its place", () => {
    const lines = problemsOf(`taskQueue: proj/linux
priority: urgent
retries: 99
dependencies: [abc]
deadline: tomorrow
payload: []
metadata:
  { name: n, description: "", owner: me, src: x }
`);
    expect(lines[0]).toBe("invalid task definition:");
    expect(lines).toContain("  t.yml:1:1: taskQueue is not a known member; did you mean taskQueueId?");
    expect(lines).toContain(
      "  t.yml:2:1: priority must be one of highest, very-high, high, medium, low, very-low, lowest",
    );
    expect(lines).toContain("  t.yml:3:1: retries must be <= 49");
    expect(lines.some((line) => line.startsWith("  t.yml:4:16: dependencies.0 must match pattern"))).toBe(
      true,
    );
    expect(lines).toContain("  t.yml:5:1: deadline must be a time such as 2030-01-31T00:00:00.000Z");
    expect(lines).toContain("  t.yml:6:1: payload must be object");
    expect(lines).toContain("  t.yml:7:1: metadata.source is missing");
    expect(lines).toContain("  t.yml:8:42: metadata.src is not a known member");
  });

  test("is one that a worker would refuse", () => {
    expect(
      problemsOf(`taskQueueId: proj/linux
deadline: 1 day
expires: 1 week
metadata: { name: n, description: "", owner: me, source: "https://example.com" }
payload:
  command: [[echo, [1]]]
  maxRunTime: 1.5
  env:
    B: [1]
    C:
`),
    ).toEqual([
      "invalid task definition:",
      "  t.yml:6:20: payload.command[0][1] must be string",
      "  t.yml:7:3: payload.maxRunTime must be integer",
      "  t.yml:9:5: payload.env.B must be string",
      "  t.yml:10:5: payload.env.C must be string",
    ]);
    const readable = (payload: string) =>
      problemsOf(
        `{ metadata: ${JSON.stringify(metadata)}, deadline: 1 day, expires: 1 week, payload: ${payload} }`,
      );
    expect(
      readable(
        "{ command: [[x]], maxRunTime: 5, artifacts: [{ type: file, path: x, expires: 1999-01-01T00:00:00Z }] }",
      )[1],
    ).toMatch(/ payload\.artifacts\[0\]\.expires is 1999-01-01T00:00:00Z; it must lie between /);
    expect(
      readable('{ command: [[x]], maxRunTime: 5, artifacts: [{ type: file, path: "../x", name: x }] }')[1],
    ).toMatch(/:1:\d+: payload\.artifacts\[0\]\.path is "\.\.\/x", which leads out of the task's folder/);
    expect(readable('{ command: [[x]], maxRunTime: 5, env: { "a=b": c } }')[1]).toContain(
      'payload.env has the name "a=b"; a name is not empty',
    );
    expect(readable("{ command: [[x]], maxRunTime: 5, features: { interactive: true } }")[1]).toContain(
      "payload.features.interactive is not supported by this worker yet",
    );
    // 2^53 + 1.
    expect(readable("{ image: x, size: 9007199254740993 }")[1]).toContain(
      "payload.size: 9007199254740993 has more digits than a number keeps, and would become 9007199254740992",
    );
  });

  test.each([
    [null, "nothing"],
    [[], "a list"],
    ["x", "a string"],
  ])("cannot be %j", (parsed, kind) => {
    expect(errorOf(JSON.stringify(parsed))).toContain(
      `must be an object with members such as payload and metadata, not ${kind}`,
    );
  });
});

describe("relative times", () => {
  test.each([
    ["", 0],
    ["now", 0],
    ["30 seconds", 30_000],
    ["2 hours", 7_200_000],
    ["in 1 day 12 hours", 129_600_000],
    ["1d2h3m4s", 93_784_000],
    ["2 weeks", 1_209_600_000],
    ["5 min", 300_000],
    ["1 year", 31_536_000_000],
    ["12 months", 31_104_000_000],
    ["1 month", 2_592_000_000],
    ["1 year 2 months 3 weeks 4 days 5 hours 6 minutes 7 seconds", 38_898_367_000],
    ["1y2mo3w4d5h6m7s", 38_898_367_000],
    ["In 2 Hours", 7_200_000],
  ])("%j", (text, ms) => {
    expect(relativeMs(text)).toBe(ms);
  });

  test.each(["tomorrow", "1", "1 dayz", "2026-01-31", "1 day later", "-1 day", "1.5 hours", "9999 years"])(
    "%j is not one",
    (text) => {
      expect(relativeMs(text)).toBeUndefined();
    },
  );

  test("parsing never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => void relativeMs(text)));
  });
});
