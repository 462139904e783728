// The last lines of a test run, for readers who have never seen one: what passed, what failed, what did not run and why.

export interface FinishedTest {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped" | "pending";
  /** Why it was skipped, as the continuation of "because". */
  readonly reason?: string | undefined;
}

export interface FinishedRun {
  readonly tests: readonly FinishedTest[];
  readonly files: number;
  /** Files whose tests could not be collected. */
  readonly brokenFiles: readonly string[];
  /** Errors outside of tests, such as unhandled rejections. */
  readonly errors: number;
  readonly ms: number;
}

export function summarize({ tests, files, brokenFiles, errors, ms }: FinishedRun): string[] {
  const inState = (state: string): FinishedTest[] => tests.filter((test) => test.state === state);
  const [passed, failed, skipped] = [inState("passed"), inState("failed"), inState("skipped")];
  const unfinished = tests.length - passed.length - failed.length - skipped.length;
  const isGood = failed.length + brokenFiles.length + errors + unfinished === 0;
  const lines = [
    `${isGood ? "PASSED" : "FAILED"}: ${count(tests.length, "test")} in ${count(files, "file")}: ` +
      `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped, in ${duration(ms)}.`,
  ];
  if (unfinished > 0) lines.push(`${count(unfinished, "test")} did not finish.`);
  if (brokenFiles.length > 0) lines.push(`${count(brokenFiles.length, "file")} could not be run; see above.`);
  if (errors > 0) lines.push(`${count(errors, "error")} outside of tests; see above.`);
  const failing = new Set([...failed.map(({ file }) => file), ...brokenFiles]);
  if (failing.size > 0)
    lines.push("To repeat the files that failed:", `  npx vitest run ${[...failing].join(" ")}`);
  if (skipped.length > 0) lines.push("NOT TESTED here:", ...byReason(skipped));
  return lines;
}

function byReason(skipped: readonly FinishedTest[]): string[] {
  const groups = new Map<string, FinishedTest[]>();
  for (const test of skipped) {
    const reason = test.reason ?? "they are skipped without a reason";
    groups.set(reason, [...(groups.get(reason) ?? []), test]);
  }
  return [...groups].flatMap(([reason, tests]) => [
    `  ${count(tests.length, "test")}, because ${reason}:`,
    ...tests.map(({ file, name }) => `    ${file} > ${name}`),
  ]);
}

/** Writes a number with its noun: `1 test`, `2 tests`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
