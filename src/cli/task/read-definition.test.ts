import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CliError } from "../cli-error.ts";
import { readDefinition } from "./read-definition.ts";
import { relativeMs } from "./relative-time.ts";

const now = Date.UTC(2026, 0, 31, 12);
const metadata = { name: "n", description: "", owner: "me@example.com", source: "https://example.com" };
const minimal = { taskQueueId: "proj/linux", payload: {}, metadata };

/** The message of the error. */
const errorOf = (parsed: unknown): string => {
  try {
    readDefinition(parsed, now);
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  throw new Error("the definition was accepted");
};

test("missing times have defaults, which are reported", () => {
  expect(readDefinition(minimal, now)).toEqual({
    definition: { ...minimal, created: "2026-01-31T12:00:00.000Z", deadline: "2026-02-01T12:00:00.000Z" },
    defaults: ["created: now", "deadline: in 1 day"],
  });
});

test("times may be relative, absolute, or parsed by YAML", () => {
  const times = { created: "now", deadline: { $fromNow: "2 hours" }, expires: new Date(now + 1000) };
  expect(readDefinition({ ...minimal, ...times }, now)).toEqual({
    definition: {
      ...minimal,
      created: "2026-01-31T12:00:00.000Z",
      deadline: "2026-01-31T14:00:00.000Z",
      expires: "2026-01-31T12:00:01.000Z",
    },
    defaults: [],
  });
  const absolute = { created: "2026-01-31T11:59:00Z", deadline: "2026-02-01T00:00:00Z" };
  expect(readDefinition({ ...minimal, ...absolute }, now).definition).toMatchObject(absolute);
});

describe("an invalid definition", () => {
  test("is rejected with every problem and its place", () => {
    const parsed = {
      taskQueue: "proj/linux",
      priority: "urgent",
      retries: 99,
      dependencies: ["abc"],
      deadline: "tomorrow",
      payload: [],
      metadata: { name: "n", description: "", owner: "me", src: "x" },
    };
    const lines = errorOf(parsed).split("\n");
    expect(lines[0]).toBe("invalid task definition:");
    expect(lines).toContain("  taskQueue is not a known member; did you mean taskQueueId?");
    expect(lines).toContain(
      "  priority must be one of highest, very-high, high, medium, low, very-low, lowest",
    );
    expect(lines).toContain("  metadata.source is missing");
    expect(lines).toContain("  metadata.src is not a known member");
    expect(lines).toContain("  retries must be <= 49");
    expect(lines.some((line) => line.startsWith("  dependencies.0 must match pattern"))).toBe(true);
    expect(lines).toContain('  deadline must match format "date-time"');
    expect(lines).toContain("  payload must be object");
  });

  test.each([
    [null, "nothing"],
    [[], "a list"],
    ["x", "a string"],
  ])("cannot be %j", (parsed, kind) => {
    expect(errorOf(parsed)).toContain(
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
  ])("%j", (text, ms) => {
    expect(relativeMs(text)).toBe(ms);
  });

  test.each(["tomorrow", "1", "1 dayz", "2026-01-31", "1 day later", "-1 day", "1.5 hours"])(
    "%j is not one",
    (text) => {
      expect(relativeMs(text)).toBeUndefined();
    },
  );

  test("parsing never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => void relativeMs(text)));
  });
});
