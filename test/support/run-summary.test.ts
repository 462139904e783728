import { describe, expect, it } from "vitest";
import { summarize, type FinishedTest } from "./run-summary.ts";

const ofFile = (file: string, state: FinishedTest["state"], name = "works", reason?: string) => ({
  file,
  name,
  state,
  reason,
});
const run = (tests: readonly FinishedTest[], more: { brokenFiles?: string[]; errors?: number } = {}) =>
  summarize({ tests, files: 2, brokenFiles: [], errors: 0, ms: 1_000, ...more });

describe("the summary of a run", () => {
  it("counts the tests of a run that passed, and nothing more", () => {
    const tests = [ofFile("a.test.ts", "passed"), ofFile("b.test.ts", "passed")];
    expect(summarize({ tests, files: 2, brokenFiles: [], errors: 0, ms: 113_400 })).toEqual([
      "PASSED: 2 tests in 2 files: 2 passed, 0 failed, 0 skipped, in 1 min 53 s.",
    ]);
  });

  it("lists the skipped tests by reason", () => {
    const skipped = [
      ofFile("a.test.ts", "skipped", "opens", "there is no browser"),
      ofFile("b.test.ts", "skipped", "reads", "the tests run as root"),
      ofFile("a.test.ts", "skipped", "closes", "there is no browser"),
      ofFile("b.test.ts", "skipped", "writes"),
    ];
    expect(run([ofFile("a.test.ts", "passed"), ...skipped])).toEqual([
      "PASSED: 5 tests in 2 files: 1 passed, 0 failed, 4 skipped, in 1 s.",
      "NOT TESTED here:",
      "  2 tests, because there is no browser:",
      "    a.test.ts > opens",
      "    a.test.ts > closes",
      "  1 test, because the tests run as root:",
      "    b.test.ts > reads",
      "  1 test, because they are skipped without a reason:",
      "    b.test.ts > writes",
    ]);
  });

  it("shows how to repeat the files that failed, each once", () => {
    const failed = [ofFile("a.test.ts", "failed"), ofFile("a.test.ts", "failed", "works too")];
    expect(run(failed, { brokenFiles: ["b.test.ts"] })).toEqual([
      "FAILED: 2 tests in 2 files: 0 passed, 2 failed, 0 skipped, in 1 s.",
      "1 file could not be run; see above.",
      "To repeat the files that failed:",
      "  npx vitest run a.test.ts b.test.ts",
    ]);
  });

  it("is that of a failed run after errors outside of tests and for tests that did not finish", () => {
    expect(run([ofFile("a.test.ts", "passed")], { errors: 1 })).toEqual([
      "FAILED: 1 test in 2 files: 1 passed, 0 failed, 0 skipped, in 1 s.",
      "1 error outside of tests; see above.",
    ]);
    expect(run([ofFile("a.test.ts", "pending")])).toEqual([
      "FAILED: 1 test in 2 files: 0 passed, 0 failed, 0 skipped, in 1 s.",
      "1 test did not finish.",
    ]);
  });
});
