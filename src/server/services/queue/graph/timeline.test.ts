// The timeline of a group over HTTP: it matches what happened, and its parts add up.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { NewTask, Timeline } from "../../../../api/queue/graph.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
let clock: ManualClock;
beforeAll(async () => {
  clock = manualClock();
  stack = await testStack({ clock, roles: ["api"] });
});
afterAll(() => stack.stop());

const worker = { workerGroup: "g", workerId: "w" };
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const complete = (taskId: string, runId = 0) => stack.client.queue.reportCompleted({ taskId, runId });
const advance = (ms: number) => clock.setNow(clock.now() + ms);
const timelineOf = (taskGroupId: string, query = {}) =>
  stack.client.queue.taskGroupTimeline({ taskGroupId }, { query });

function newTask(taskGroupId: string, name: string, dependencies: string[] = []): NewTask {
  const definition = taskDefinition({ taskGroupId, dependencies }, clock.now());
  return { taskId: slugid(), task: { ...definition, metadata: { ...definition.metadata, name } } };
}

describe("a timeline", () => {
  it("names tasks whose definitions have NUL or half of a surrogate pair", async () => {
    const group = slugid();
    const task = newTask(group, "a\0b \\u0000");
    await stack.client.queue.createTasks({
      tasks: [{ ...task, task: { ...task.task, payload: { text: "\ud800" } } }],
    });
    const { tasks, summary } = await timelineOf(group);
    expect(tasks).toMatchObject([{ taskId: task.taskId, name: "a\ufffdb \\u0000" }]);
    expect(summary).toMatchObject({ resolved: false });
  });

  it("has waiting and run times for each task, and the critical path of the group", async () => {
    const group = slugid();
    const first = newTask(group, "first");
    const second = newTask(group, "second", [first.taskId]);
    const aside = newTask(group, "aside");
    const start = clock.now();
    await stack.client.queue.createTasks({ tasks: [second, first, aside] });
    advance(1000);
    await claim(first.taskId);
    await claim(aside.taskId);
    advance(2000);
    await complete(first.taskId);
    advance(300);
    await stack.client.queue.reportFailed({ taskId: aside.taskId, runId: 0 });
    await claim(second.taskId);
    advance(5000);
    const open = await timelineOf(group);
    expect(open.summary).toMatchObject({ resolved: false, wallMs: 8300, until: open.asOf });
    await stack.client.queue.reportException(
      { taskId: second.taskId, runId: 0 },
      { reason: "worker-shutdown" },
    );
    advance(10);
    await claim(second.taskId, 1);
    advance(90);
    await complete(second.taskId, 1);
    advance(60_000);

    const { summary, tasks, ...rest } = await timelineOf(group);
    const at = (ms: number): string => new Date(start + ms).toISOString();
    expect(rest).toEqual({ taskGroupId: group, schedulerId: "-", asOf: at(68_400) });
    expect(summary).toEqual({
      resolved: true,
      tasks: 3,
      stuck: 0,
      from: at(0),
      until: at(8400),
      wallMs: 8400,
      beforeMs: 0,
      sums: { gapMs: 0, queueMs: 2310, runMs: 9390, betweenMs: 0 },
      criticalPath: [
        {
          taskId: first.taskId,
          name: "first",
          from: at(0),
          until: at(3000),
          gapMs: 0,
          queueMs: 1000,
          runMs: 2000,
          betweenMs: 0,
          share: 3000 / 8400,
        },
        {
          taskId: second.taskId,
          name: "second",
          from: at(3000),
          until: at(8400),
          gapMs: 0,
          queueMs: 310,
          runMs: 5090,
          betweenMs: 0,
          share: 5400 / 8400,
        },
      ],
    });
    const byName = new Map(tasks.map((task) => [task.name, task]));
    expect(byName.get("aside")).toMatchObject({
      state: "failed",
      dependencyMs: 0,
      queueMs: 1000,
      runMs: 2300,
    });
    expect(byName.get("second")).toMatchObject({
      state: "completed",
      created: at(0),
      dependencyMs: 3000,
      gapMs: 0,
      runs: [
        { runId: 0, reasonResolved: "worker-shutdown", queueMs: 300, runMs: 5000 },
        { runId: 1, reasonCreated: "retry", reasonResolved: "completed", queueMs: 10, runMs: 90 },
      ],
    });
  });

  it("can be read in pages: each task once and the same as in one page, the summary on the first", async () => {
    const group = slugid();
    const tasks: NewTask[] = [];
    for (let i = 0; i < 7; i++)
      tasks.push(
        newTask(
          group,
          String(i),
          tasks.slice(-2).map(({ taskId }) => taskId),
        ),
      );
    await stack.client.queue.createTasks({ tasks });
    for (const { taskId } of tasks.slice(0, 4)) {
      advance(10);
      await claim(taskId);
      advance(10);
      await complete(taskId);
    }
    const whole = await timelineOf(group);
    const listed: Timeline["tasks"] = [];
    let query: { limit: number; continuationToken?: string } | undefined = { limit: 1 };
    while (query) {
      const page: Timeline = await timelineOf(group, query);
      expect(page.summary !== undefined).toBe(listed.length === 0);
      expect(page.tasks).toHaveLength(1);
      listed.push(...page.tasks);
      const { continuationToken } = page;
      query = continuationToken === undefined ? undefined : { limit: 1, continuationToken };
    }
    expect(listed).toEqual(whole.tasks);
    expect(whole).not.toHaveProperty("continuationToken");
  });

  it("has shorter pages if tasks have very many dependencies", async () => {
    const group = slugid();
    const tasks = Array.from({ length: 13 }, (_, i) => newTask(group, String(i)));
    await stack.client.queue.createTasks({ tasks });
    await stack.database.db.run(sql`
      insert into task_dependencies (dependent, required, any_resolution, satisfied)
      select t.task_id, 'required-' || i, false, true
      from tasks t cross join generate_series(1, 10000) i where t.task_group_id = ${group}`);
    const first = await timelineOf(group);
    // Eleven tasks have more than a hundred thousand dependencies.
    expect(first.tasks).toHaveLength(11);
    expect(first.summary).toMatchObject({ tasks: 13, stuck: 0 });
    const second = await timelineOf(group, { continuationToken: first.continuationToken });
    expect(second).not.toHaveProperty("continuationToken");
    const listed = [...first.tasks, ...second.tasks].map(({ taskId }) => taskId);
    expect(listed.toSorted()).toEqual(tasks.map(({ taskId }) => taskId).toSorted());
  });

  it("shows tasks that were created late, and waiting for another group", async () => {
    const other = newTask(slugid(), "elsewhere");
    const group = slugid();
    const waiting = newTask(group, "waiting", [other.taskId]);
    await stack.client.queue.createTasks({ tasks: [other, waiting] });
    advance(500);
    await claim(other.taskId);
    await complete(other.taskId);
    await claim(waiting.taskId);
    await complete(waiting.taskId);
    expect((await timelineOf(group)).summary?.criticalPath).toMatchObject([{ name: "waiting", gapMs: 500 }]);
    advance(1500);
    const late = newTask(group, "late", [waiting.taskId]);
    await stack.client.queue.createTasks({ tasks: [late] });
    await stack.client.queue.cancelTask({ taskId: late.taskId });
    expect((await timelineOf(group)).summary).toMatchObject({
      wallMs: 2000,
      beforeMs: 2000,
      criticalPath: [{ name: "late", gapMs: 0, queueMs: 0, runMs: 0 }],
    });
  });
});

describe("of any group", () => {
  /** For each task, the earlier ones that it depends on. */
  const graph = fc.array(fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 10,
  });
  /** One step: how long after the previous one, on which task, what to do. */
  const step = fc.tuple(
    fc.integer({ min: 0, max: 5000 }),
    fc.nat(),
    fc.constantFrom("complete", "complete", "complete", "fail", "lose", "rerun"),
  );

  it("the critical path adds up to the elapsed time, within one percent", async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.array(step, { maxLength: 25 }), async (edges, steps) => {
        const group = slugid();
        const start = clock.now();
        const tasks: NewTask[] = [];
        for (const [i, needs] of edges.entries())
          tasks.push(
            newTask(
              group,
              String(i),
              needs.flatMap((n) => (n < i ? [tasks[n]?.taskId ?? ""] : [])),
            ),
          );
        await stack.client.queue.createTasks({ tasks });
        for (const [ms, which, action] of steps) {
          advance(ms);
          const taskId = tasks[which % tasks.length]?.taskId ?? "";
          const { status } = await stack.client.queue.status({ taskId });
          const runId = Math.max(0, status.runs.length - 1);
          if (status.state === "pending") await claim(taskId, runId);
          else if (status.state === "running") {
            if (action === "complete") await complete(taskId, runId);
            else if (action === "fail") await stack.client.queue.reportFailed({ taskId, runId });
            else if (action === "lose")
              await stack.client.queue.reportException({ taskId, runId }, { reason: "worker-shutdown" });
          } else if (action === "rerun") await stack.client.queue.rerunTask({ taskId });
        }
        advance(100);
        const { summary, tasks: listed } = await timelineOf(group);
        if (!summary) throw new Error("the first page has a summary");
        const stuck = new Set<string>();
        for (const [i, needs] of edges.entries()) {
          const states = needs.flatMap((n) => (n < i ? [listed.find((t) => t.name === String(n))] : []));
          const cannotSatisfy = (t: (typeof states)[number]) =>
            stuck.has(t?.name ?? "") || t?.state === "failed" || t?.state === "exception";
          const waits = listed.find((t) => t.name === String(i))?.state === "unscheduled";
          if (waits && states.some(cannotSatisfy)) stuck.add(String(i));
        }
        expect(summary.stuck).toBe(stuck.size);
        const moving = listed.filter(({ name }) => !stuck.has(name));
        const ends = moving.map((t) => {
          const last = t.runs.at(-1);
          return last?.resolved === undefined ? clock.now() : Date.parse(last.resolved);
        });
        const wall = Math.max(...ends) - start;
        const parts = summary.criticalPath.map((s) => s.gapMs + s.queueMs + s.runMs + s.betweenMs);
        const sum = parts.reduce((a, b) => a + b, summary.beforeMs);
        expect(Math.abs(sum - wall)).toBeLessThanOrEqual(wall / 100);
        expect(summary.wallMs).toBe(wall);
        const shares = summary.criticalPath.reduce((n, { share }) => n + share, 0);
        if (wall > 0) expect(shares + summary.beforeMs / wall).toBeCloseTo(1, 6);
      }),
      { numRuns: 25 },
    );
  });
});
