import { describe, expect, test } from "vitest";
import type { TaskStatus } from "../../api/queue/status.ts";
import { capturedIo } from "../../../test/support/captured-io.ts";
import { colorsFor } from "../colors.ts";
import { until } from "../../../test/support/until.ts";
import { progressLines, startProgressDisplay } from "./progress-display.ts";
import { drawCriticalPath } from "./draw-critical-path.ts";
import { graphProgress, type State } from "./graph-progress.ts";

const task = (name: string, needs: string[] = [], anyResolution = false) => ({
  taskId: name,
  name,
  needs,
  anyResolution,
  taskQueueId: "p/w",
});
const at = "2026-01-31T12:00:00.000Z";

function status(taskId: string, state: State, runs = 1): TaskStatus {
  const run = { reasonCreated: "scheduled", scheduled: at, started: at } as const;
  const list = Array.from({ length: runs }, (_, runId) => ({
    ...run,
    runId,
    // An unscheduled task has no runs.
    state: state as Exclude<State, "unscheduled">,
  }));
  const queue = { provisionerId: "p", workerType: "w", taskQueueId: "p/w" };
  const rest = { schedulerId: "-", projectId: "none", taskGroupId: "g", deadline: at, expires: at };
  return { taskId, ...queue, ...rest, retriesLeft: 5, state, runs: list };
}

describe("a graph is finished", () => {
  test("when all of its tasks are resolved", () => {
    const progress = graphProgress([task("a"), task("b", ["a"])]);
    expect(progress.isFinished()).toBe(false);
    progress.update(status("a", "completed"));
    // The event of the next task is still to come.
    expect(progress.isFinished()).toBe(false);
    progress.update(status("b", "failed"));
    expect(progress.isFinished()).toBe(true);
    expect(progress.counts).toMatchObject({ completed: 1, failed: 1, unscheduled: 0 });
  });

  test("when the remaining tasks wait for a failed one, directly or through others", () => {
    const progress = graphProgress([task("c", ["b"]), task("b", ["a", "x"]), task("a"), task("x")]);
    progress.update(status("a", "failed"));
    expect(progress.isFinished()).toBe(false);
    progress.update(status("x", "completed"));
    expect(progress.isFinished()).toBe(true);
  });

  test("but not while a task waits that also runs after failures", () => {
    const progress = graphProgress([task("a"), task("b", ["a"], true)]);
    progress.update(status("a", "exception"));
    expect(progress.isFinished()).toBe(false);
    progress.update(status("b", "completed"));
    expect(progress.isFinished()).toBe(true);
  });
});

test("late and repeated events change nothing, and new runs do", () => {
  const progress = graphProgress([task("a")]);
  expect(progress.update(status("a", "running"))).toMatchObject({ state: "running" });
  expect(progress.update(status("a", "pending"))).toBeUndefined();
  expect(progress.update(status("a", "running"))).toBeUndefined();
  expect(progress.update(status("a", "pending", 2))).toMatchObject({ state: "pending", runs: 2 });
  expect(progress.update(status("a", "completed"))).toBeUndefined();
  expect(progress.update(status("unknown", "completed"))).toBeUndefined();
  expect([...progress.running]).toEqual([]);
  expect(progress.counts).toMatchObject({ pending: 1, running: 0 });
});

const io = capturedIo();
const plain = colorsFor(io.stdout, io.env);

test("the display has a bar per state, and the names of running tasks", () => {
  const progress = graphProgress(["a", "b", "c", "d"].map((name) => task(name)));
  progress.update(status("a", "completed"));
  progress.update(status("b", "running"));
  const later = "2026-01-31T12:00:02.500Z";
  expect(progressLines("build", progress, plain, 40, at, later)).toEqual([
    "build  1 of 4  25%  2.5s",
    `  completed  ${"█".repeat(6)}${"░".repeat(18)}  1`,
    `  running    ${"█".repeat(6)}${"░".repeat(18)}  1`,
    `  pending    ${"░".repeat(24)}  0`,
    `  waiting    ${"█".repeat(12)}${"░".repeat(12)}  2`,
    "  ▸ b  2.5s",
  ]);
  const long = progressLines("x".repeat(100), progress, plain, 40, at, later);
  expect(long.every((line) => line.length <= 40)).toBe(true);
});

test("the display erases what a narrower window has rewrapped, and its clock moves while nothing runs", async () => {
  const progress = graphProgress([task("a"), task("b")]);
  const terminal = capturedIo({ terminal: true });
  const stderr = Object.assign(terminal.stderr, { columns: 80 });
  const display = startProgressDisplay(terminal, "build", progress);
  const draws = () => terminal.err().split("0 of 2").length - 1;
  await until("the clock", async () => draws() >= 2);
  stderr.columns = 30;
  display.print("narrower");
  display.stop();
  await until("the output", async () => terminal.err().includes("narrower"));
  // A title, and four bars of 66 columns, which take three rows each in 30 columns.
  expect(terminal.err().split("narrower")[0]?.endsWith("\u001B[13A\u001B[0J")).toBe(true);
});

test("the critical path is drawn on the time axis of the group", () => {
  const ms = { gapMs: 0, queueMs: 0, runMs: 0, betweenMs: 0 };
  const time = (s: number): string => new Date(Date.parse(at) + s * 1000).toISOString();
  const summary = {
    resolved: true,
    stuck: 0,
    tasks: 9,
    from: time(0),
    until: time(10),
    wallMs: 10_000,
    beforeMs: 0,
    sums: { ...ms, queueMs: 5000, runMs: 20_000 },
    criticalPath: [
      {
        ...ms,
        taskId: "a",
        name: "a",
        from: time(0),
        until: time(4),
        queueMs: 2000,
        runMs: 2000,
        share: 0.4,
      },
      {
        ...ms,
        taskId: "b",
        name: "b",
        from: time(4),
        until: time(10),
        gapMs: 3000,
        runMs: 3000,
        share: 0.6,
      },
    ],
  };
  expect(drawCriticalPath(summary, time(11), plain, 52)).toEqual([
    "critical path: 2 of 9 tasks, 10.0s",
    "",
    "TASK                         GAP  QUEUE   RUN  SHARE",
    "a     ▒▒▒▒████               0ms   2.0s  2.0s  40.0%",
    "b             ······██████  3.0s    0ms  3.0s  60.0%",
    "",
    "▒ waiting for a worker  █ running  · neither",
    "total of all tasks: 5.0s waiting for workers, 20.0s running",
  ]);
  // Without room for the axis, only the figures are shown.
  const [, second] = summary.criticalPath;
  const long = {
    ...summary,
    resolved: false,
    stuck: 2,
    criticalPath: [{ ...second, name: "a name\nof two lines" }],
  };
  expect(drawCriticalPath(long as typeof summary, summary.until, plain, 40)).toEqual([
    "critical path: 1 of 9 tasks, 10.0s so far",
    "not included: 2 tasks that wait for a failed task",
    "",
    "TASK             GAP  QUEUE   RUN  SHARE",
    "a name of two…  3.0s    0ms  3.0s  60.0%",
    "",
    "total of all tasks: 5.0s waiting for workers, 20.0s running",
  ]);
});
