// The critical path of a group: its parts add up to the duration, whatever happened.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startTimeSlice } from "../../../core/time-slice.ts";
import { groupTime, segmentsOf, type TimelineRun, type TimelineTask } from "./critical-path.ts";

const run = (scheduled: number, started?: number, resolved?: number): TimelineRun => ({
  state: resolved === undefined ? (started === undefined ? "pending" : "running") : "completed",
  scheduled,
  started,
  resolved,
});
const task = (taskId: string, dependencies: string[], ...runs: TimelineRun[]): TimelineTask => ({
  taskId,
  created: 0,
  dependencies,
  unmet: runs.length === 0 ? dependencies : [],
  anyResolution: false,
  runs,
});
const timeOf = (tasks: ReadonlyMap<string, TimelineTask>, now: number) =>
  groupTime(tasks, now, startTimeSlice());
const byId = (...tasks: TimelineTask[]) => new Map(tasks.map((t) => [t.taskId, t]));

describe("the critical path", () => {
  it("leads back from the last task through the last dependency of each", async () => {
    const tasks = byId(
      task("fast", [], run(0, 1, 5)),
      task("slow", [], run(0, 2, 20)),
      task("between", ["slow", "fast"], run(20, 23, 30)),
      task("aside", ["fast"], run(5, 6, 29)),
      task("end", ["between", "aside"], run(30, 30, 40)),
    );
    expect(await timeOf(tasks, 99)).toEqual({
      resolved: true,
      stuck: 0,
      from: 0,
      until: 40,
      beforeMs: 0,
      path: [
        { taskId: "slow", from: 0, until: 20, gapMs: 0, queueMs: 2, runMs: 18, betweenMs: 0 },
        { taskId: "between", from: 20, until: 30, gapMs: 0, queueMs: 3, runMs: 7, betweenMs: 0 },
        { taskId: "end", from: 30, until: 40, gapMs: 0, queueMs: 0, runMs: 10, betweenMs: 0 },
      ],
    });
  });

  it("ends with the task that was active last, not with one that waits for a failed task", async () => {
    const failed = { ...task("bad", [], run(0, 1, 10)), runs: [{ ...run(0, 1, 10), state: "failed" }] };
    const stuck = [task("end", ["between"]), task("between", ["bad", "good"])];
    const good = task("good", [], run(0, 2, 20));
    expect(await timeOf(byId(...stuck, failed, good), 99)).toMatchObject({
      resolved: false,
      stuck: 2,
      until: 20,
      path: [{ taskId: "good" }],
    });
    // While a task is unresolved, it is the end of the path.
    const open = task("open", [], run(0, 5));
    expect(await timeOf(byId(...stuck, failed, good, open), 99)).toMatchObject({
      resolved: false,
      until: 99,
      path: [{ taskId: "open" }],
    });
    // A task that requires any resolution still waits for its other dependency.
    const anyway = { ...task("anyway", ["bad", "elsewhere"]), anyResolution: true };
    expect(await timeOf(byId(failed, good, anyway), 99)).toMatchObject({ stuck: 0, until: 99 });
  });

  it("starts with a task that was created after its dependencies were resolved", async () => {
    const tasks = byId(task("first", [], run(0, 1, 5)), {
      ...task("late", ["first"], run(50, 51, 60)),
      created: 50,
    });
    expect(await timeOf(tasks, 99)).toMatchObject({
      from: 0,
      until: 60,
      beforeMs: 50,
      path: [{ taskId: "late" }],
    });
  });

  it("counts only the runs that dependents waited for", async () => {
    const tasks = byId(
      task("again", [], run(0, 1, 5), run(5, 6, 10), run(30, 31, 35)),
      task("end", ["again"], run(10, 20, 50)),
    );
    expect((await timeOf(tasks, 99))?.path).toEqual([
      { taskId: "again", from: 0, until: 10, gapMs: 0, queueMs: 2, runMs: 8, betweenMs: 0 },
      { taskId: "end", from: 10, until: 50, gapMs: 0, queueMs: 10, runMs: 30, betweenMs: 0 },
    ]);
    expect(segmentsOf(tasks.get("again") ?? task("", []), tasks, 99)).toEqual({
      gapMs: 0,
      queueMs: 3,
      runMs: 12,
      betweenMs: 20,
    });
  });

  it("of an unresolved group ends now, with the unresolved task", async () => {
    const running = byId(
      task("done", [], run(0, 1, 5)),
      task("waits", ["done"], run(5)),
      task("runs", ["done"], run(5, 8)),
      task("blocked", ["runs"]),
    );
    expect(await timeOf(running, 20)).toMatchObject({
      resolved: false,
      until: 20,
      path: [{ taskId: "done" }, { taskId: "runs", queueMs: 3, runMs: 12 }],
    });
    const stuck = byId(task("failed", [], run(0, 1, 5)), task("blocked", ["failed"]));
    expect(await timeOf(stuck, 20)).toMatchObject({
      resolved: false,
      until: 20,
      path: [{ taskId: "failed" }, { taskId: "blocked", from: 5, gapMs: 15 }],
    });
  });

  it("of no tasks is undefined", async () => {
    expect(await timeOf(new Map(), 1)).toBeUndefined();
  });

  it("terminates for cyclic dependencies", async () => {
    const tasks = byId(task("a", ["a", "b"], run(0, 0, 0)), task("b", ["a"], run(0, 0, 0)));
    expect((await timeOf(tasks, 1))?.path.length).toBeLessThanOrEqual(2);
  });
});

/** Random times of a task: its creation, and for each run the pause before it, the queue time and the run time. */
const history = fc.record({
  created: fc.nat({ max: 30 }),
  dependencies: fc.uniqueArray(fc.nat({ max: 20 }), { maxLength: 3 }),
  runs: fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 9 }), fc.nat({ max: 9 })), { maxLength: 3 }),
});

/** Returns the state at `now` of tasks with these histories, each depending on earlier ones. */
function simulate(
  histories: readonly { created: number; dependencies: number[]; runs: [number, number, number][] }[],
  now: number,
) {
  const tasks: TimelineTask[] = [];
  const ends: number[] = [];
  for (const [i, { created, dependencies, runs: lengths }] of histories.entries()) {
    const required = dependencies.filter((d) => d < i);
    let at = Math.max(created, ...required.map((d) => ends[d] ?? Infinity));
    const runs: TimelineRun[] = [];
    for (const [n, [pause, queue, running]] of lengths.entries()) {
      const scheduled = n === 0 ? at : at + pause;
      const started = scheduled + queue;
      at = started + running;
      if (scheduled > now) break;
      runs.push(run(scheduled, started > now ? undefined : started, at > now ? undefined : at));
    }
    const end = runs.at(-1)?.resolved;
    // Dependents are scheduled when the first run completes; later runs do not delay them.
    ends[i] = end === undefined ? Infinity : (runs[0]?.resolved ?? Infinity);
    if (created <= now) tasks.push({ ...task(String(i), required.map(String), ...runs), created });
  }
  return new Map(tasks.map((t) => [t.taskId, t]));
}

describe("for random histories", () => {
  it("the parts of the path add up to the duration of the group", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(history, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 30, max: 200 }),
        async (histories, now) => {
          const tasks = simulate(histories, now);
          const time = await timeOf(tasks, now);
          if (!time) return;
          const { from, until, beforeMs, path, resolved } = time;
          const sum = path.reduce((n, s) => n + s.gapMs + s.queueMs + s.runMs + s.betweenMs, beforeMs);
          expect(sum).toBe(until - from);
          const ends = [...tasks.values()].map((t) => t.runs.at(-1)?.resolved ?? now);
          expect(until).toBe(Math.max(...ends));
          expect(from).toBe(Math.min(...[...tasks.values()].map((t) => t.created ?? 0)));
          expect(resolved).toBe([...tasks.values()].every((t) => t.runs.at(-1)?.resolved !== undefined));
          for (const [i, step] of path.entries()) {
            expect(step.until - step.from).toBe(step.gapMs + step.queueMs + step.runMs + step.betweenMs);
            if (i > 0) expect(tasks.get(step.taskId)?.dependencies).toContain(path[i - 1]?.taskId);
            if (i > 0) expect(step.from).toBe(path[i - 1]?.until);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("skewed clocks produce no negative part, and a path that is not empty", async () => {
    const skewed = fc.record({
      created: fc.nat({ max: 30 }),
      runs: fc.array(fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 40 }), fc.nat({ max: 40 })), {
        maxLength: 3,
      }),
      dependencies: fc.uniqueArray(fc.nat({ max: 8 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(skewed, { minLength: 1, maxLength: 8 }), async (given) => {
        const tasks = byId(
          ...given.map(({ created, runs, dependencies }, i) => ({
            ...task(String(i), dependencies.map(String), ...runs.map((times) => run(...times))),
            created,
          })),
        );
        const time = await timeOf(tasks, 50);
        if (!time) throw new Error("a group with tasks has a path");
        const parts = time.path.flatMap((s) => [s.gapMs, s.queueMs, s.runMs, s.betweenMs]);
        expect(Math.min(...parts, time.beforeMs)).toBeGreaterThanOrEqual(0);
        expect(time.path.length).toBeGreaterThan(0);
      }),
    );
  });
});
