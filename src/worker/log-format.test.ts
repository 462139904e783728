import { describe, expect, test } from "vitest";
import { exitBlock, goDuration, workerLine } from "./log-format.ts";

describe("a worker line", () => {
  const now = Date.UTC(2026, 0, 31, 12, 0, 0, 7);

  test("has a timestamp for a message or a warning, and none for an error", () => {
    expect(workerLine("info", "Task ID: x", now)).toBe("[taskcluster 2026-01-31T12:00:00.007Z] Task ID: x\n");
    expect(workerLine("warn", "careful", now)).toBe("[taskcluster:warn 2026-01-31T12:00:00.007Z] careful\n");
    expect(workerLine("error", "exit status 3", now)).toBe("[taskcluster:error] exit status 3\n");
  });

  test("has the prefix on every line of the text", () => {
    expect(workerLine("error", "a\nb", now)).toBe("[taskcluster:error] a\n[taskcluster:error] b\n");
  });
});

test.each([
  [0, "0s"],
  [0.25, "250µs"],
  [15.6001, "15.6ms"],
  [999.999, "999.999ms"],
  [1000, "1s"],
  [1234.5, "1.2345s"],
  [62_300, "1m2.3s"],
  [60_000, "1m0s"],
  [3_600_000, "1h0m0s"],
  [90_061_500, "25h1m1.5s"],
])("a duration of %d ms is formatted as %s", (ms, text) => {
  expect(goDuration(ms)).toBe(text);
});

describe("the block after a command", () => {
  test("is aligned to the right", () => {
    const exit = { outcome: "failed", code: 3, signal: null, wallMs: 1500, userMs: 20, systemMs: 0 } as const;
    expect(exitBlock(exit)).toBe(
      "   Exit Code: 3\n   User Time: 20ms\n Kernel Time: 0s\n   Wall Time: 1.5s\n      Result: FAILED",
    );
  });

  test("has the exit code -1 for a command that was ended by a signal, and omits unknown times", () => {
    const exit = { outcome: "failed", code: null, signal: "SIGSEGV", wallMs: 2 } as const;
    expect(exitBlock(exit)).toBe("   Exit Code: -1\n   Wall Time: 2ms\n      Result: FAILED");
  });

  test("is one line for a command that was stopped or never started", () => {
    const common = { code: null, signal: null, wallMs: 5000 } as const;
    expect(exitBlock({ ...common, outcome: "aborted" })).toBe("Command ABORTED after 5s");
    expect(exitBlock({ ...common, outcome: "failed", systemError: "no such program" })).toBe(
      "System error executing command: no such program",
    );
  });
});
