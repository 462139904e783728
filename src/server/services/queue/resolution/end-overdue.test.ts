// The loops that resolve runs with an expired claim and tasks past their deadline.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { resolveRuns } from "./store/resolve-runs.ts";

const CLAIM = 60_000;
const DELAY = 5_000;
const minute = 60_000;
const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
beforeAll(async () => {
  // Small batches, so that several are needed; and no watchdog, which would report the rows that are invalid on purpose.
  const queue = { claimTimeout: CLAIM, deadlineDelay: DELAY, loopBatch: 3, watchdogInterval: 86_400_000 };
  stack = await testStack({ clock, config: { queue } });
});
afterAll(() => stack.stop());

const create = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, overrides, clock.now());
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
/** Claims the task and returns the reply, which is empty only for a worker in quarantine. */
async function claimWithReply(taskId: string): Promise<{ takenUntil: string }> {
  const reply = await claim(taskId);
  return "takenUntil" in reply ? reply : expect.fail("the task was not claimed");
}
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
const at = (ms: number): string => new Date(clock.now() + ms).toISOString();

describe("an expired claim", () => {
  it("resolves its run, and the task is retried", async () => {
    const taskId = await create({ retries: 1 });
    await claim(taskId);
    await clock.advance(CLAIM);
    await stack.runLoop("claim-expiry");
    expect((await statusOf(taskId)).state).toBe("running");
    await clock.advance(1);
    await stack.runLoop("claim-expiry");
    const status = await statusOf(taskId);
    expect(status).toMatchObject({
      state: "pending",
      retriesLeft: 0,
      runs: [
        { state: "exception", reasonResolved: "claim-expired", ...worker, resolved: at(0) },
        { runId: 1, state: "pending", reasonCreated: "retry", scheduled: at(0) },
      ],
    });
    const events = (await eventsOf(taskId)).slice(-2);
    expect(summarize(events)).toEqual(["task-exception 0", "task-pending 1"]);
    expect(events[0]?.payload).toMatchObject({ ...worker, status });
    await expect(stack.client.queue.reportCompleted({ taskId, runId: 0 })).rejects.toMatchObject({
      code: "RequestConflict",
    });
  });

  it("resolves the task if no retry is left, and with it dependents and group", async () => {
    const taskId = await create({ retries: 0 });
    const dependents = {
      resolved: await create({ dependencies: [taskId], requires: "all-resolved" }),
      completed: await create({ dependencies: [taskId] }),
    };
    await claim(taskId);
    await clock.advance(CLAIM + 1);
    await stack.runLoop("claim-expiry");
    expect(await statusOf(taskId)).toMatchObject({
      state: "exception",
      runs: [{ reasonResolved: "claim-expired" }],
    });
    expect((await statusOf(dependents.resolved)).state).toBe("pending");
    expect((await statusOf(dependents.completed)).state).toBe("unscheduled");
    const group = await queueEvents(stack.database.db, { taskGroupId: taskId });
    expect(summarize(group).slice(-2)).toEqual(["task-exception 0", "task-group-resolved"]);
  });

  it("is not one that was reclaimed before", async () => {
    const taskId = await create();
    await claim(taskId);
    await clock.advance(CLAIM);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    await clock.advance(1);
    await stack.runLoop("claim-expiry");
    expect(await statusOf(taskId)).toMatchObject({ state: "running", runs: [{ takenUntil: at(CLAIM - 1) }] });
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    await clock.advance(CLAIM);
    await stack.runLoop("claim-expiry");
    expect((await statusOf(taskId)).state).toBe("completed");
  });

  it("is not one that was reclaimed after the loop read it", async () => {
    const taskId = await create();
    const { takenUntil } = await claimWithReply(taskId);
    const expireClaim = (claimEnd: string) =>
      resolveRuns(
        stack.database.db,
        [
          {
            taskId,
            runId: 0,
            state: "exception",
            reason: "claim-expired",
            retryAs: "retry",
            takenUntil: claimEnd,
          },
        ],
        at(0),
      );
    await clock.advance(1);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    expect(await expireClaim(takenUntil)).toEqual([]);
    expect((await statusOf(taskId)).state).toBe("running");
    expect(await expireClaim(at(CLAIM))).toHaveLength(1);
  });

  it("is left to the deadline loop once the deadline has passed", async () => {
    const taskId = await create({ deadline: at(CLAIM) });
    await claim(taskId);
    await clock.advance(CLAIM + 1);
    await stack.runLoop("claim-expiry");
    expect((await statusOf(taskId)).state).toBe("running");
  });

  it("is resolved together with many others, in several batches", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => create()));
    for (const taskId of ids) await claim(taskId);
    await clock.advance(CLAIM + 1);
    await stack.runLoop("claim-expiry");
    for (const taskId of ids)
      expect(await statusOf(taskId)).toMatchObject({ state: "pending", runs: [{}, {}] });
  });
});

describe("a task past its deadline", () => {
  it("is resolved after the delay from any state, and its event names no worker", async () => {
    const open = await create();
    const deadline = at(minute);
    const ids = {
      unscheduled: await create({ deadline, dependencies: [open] }),
      pending: await create({ deadline }),
      running: await create({ deadline }),
    };
    await claim(ids.running);
    await clock.advance(minute + DELAY);
    await stack.runLoop("deadline");
    for (const [state, taskId] of Object.entries(ids)) expect((await statusOf(taskId)).state).toBe(state);
    await clock.advance(1);
    await stack.runLoop("deadline");
    for (const [state, taskId] of Object.entries(ids)) {
      const status = await statusOf(taskId);
      expect(status).toMatchObject({
        state: "exception",
        retriesLeft: 5,
        runs: [
          {
            state: "exception",
            reasonCreated: state === "unscheduled" ? "exception" : "scheduled",
            reasonResolved: "deadline-exceeded",
            resolved: at(0),
          },
        ],
      });
      const event = (await eventsOf(taskId)).at(-1);
      expect(event).toMatchObject({ kind: "task-exception", payload: { runId: 0, status } });
      expect(event?.routingKey).toContain(`primary.${taskId}.0._._.`);
      expect(event?.payload).not.toHaveProperty("workerId");
    }
  });

  it("may still be reported until then, and is not changed afterwards", async () => {
    const taskId = await create({ deadline: at(minute) });
    await claim(taskId);
    await clock.advance(minute + 1);
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    await clock.advance(DELAY);
    const before = await eventsOf(taskId);
    await stack.runLoop("deadline");
    expect((await statusOf(taskId)).state).toBe("completed");
    expect(await eventsOf(taskId)).toEqual(before);
  });

  it("is no longer claimed, and its retry never runs", async () => {
    const taskId = await create({ deadline: at(minute), taskQueueId: "test/late" });
    await claim(taskId);
    await clock.advance(minute + 1);
    const { status } = await stack.client.queue.reportException(
      { taskId, runId: 0 },
      { reason: "worker-shutdown" },
    );
    expect(status.state).toBe("pending");
    const other = await create({ taskQueueId: "test/late" });
    const { tasks } = await stack.client.queue.claimWork(
      { taskQueueId: "test/late" },
      { ...worker, tasks: 2 },
    );
    expect(tasks.map((claimed) => claimed.status.taskId)).toEqual([other]);
    await clock.advance(DELAY);
    await stack.runLoop("deadline");
    expect(await statusOf(taskId)).toMatchObject({
      state: "exception",
      runs: [{ reasonResolved: "worker-shutdown" }, { reasonResolved: "deadline-exceeded" }],
    });
  });

  it("schedules dependents that require any resolution", async () => {
    const taskId = await create({ deadline: at(minute), taskQueueId: "test/other" });
    const requires = "all-resolved" as const;
    const dependent = await create({ dependencies: [taskId], requires });
    await clock.advance(minute + DELAY + 1);
    await stack.runLoop("deadline");
    expect((await statusOf(dependent)).state).toBe("pending");
    expect(summarize(await eventsOf(dependent))).toEqual(["task-defined", "task-pending 0"]);
  });

  it("may be part of a chain, each task of which is resolved once", async () => {
    const deadline = at(minute);
    const chain = [await create({ deadline })];
    for (let i = 0; i < 9; i++)
      chain.push(await create({ deadline, dependencies: [chain.at(-1) ?? ""], requires: "all-resolved" }));
    await clock.advance(minute + DELAY + 1);
    await stack.runLoop("deadline");
    for (const taskId of chain) {
      expect(await statusOf(taskId)).toMatchObject({
        state: "exception",
        runs: [{ runId: 0, reasonResolved: "deadline-exceeded" }],
      });
      expect(
        summarize(await eventsOf(taskId)).filter((line) => line.startsWith("task-exception")),
      ).toHaveLength(1);
    }
  });
});

it("runs that cannot be resolved do not make a loop spin", async () => {
  // A batch of runs without tasks. The watchdog would report them.
  const { db } = stack.database;
  const ids = [slugid(), slugid(), slugid()];
  await db.run(sql`
    insert into runs (task_id, run_id, state, reason_created, scheduled, started, taken_until, task_queue_id, priority, deadline)
    select task_id, 0, 'running', 'scheduled', '2020-01-01', '2020-01-01', '2020-01-01', 'a/b', 1, '2100-01-01'
    from unnest(${ids}::text[]) i (task_id)`);
  await stack.runLoop("claim-expiry");
  await db.run(sql`update runs set deadline = '2020-01-01' where task_id = any(${ids}::text[])`);
  await stack.runLoop("deadline");
  // Both loops have returned.
  expect(await db.run(sql`delete from runs where task_id = any(${ids}::text[]) and state = 'running'`)).toBe(
    3,
  );
});

it("resolved runs are counted by queue and reason, whatever resolved them", async () => {
  const taskQueueId = "count/ed";
  const ids = await Promise.all(
    Array.from({ length: 5 }, () => create({ taskQueueId, deadline: at(minute) })),
  );
  const [completed = "", failed = "", malformed = "", canceled = "", late = ""] = ids;
  for (const taskId of ids) await claim(taskId);
  const { queue } = stack.client;
  for (const taskId of [completed, completed]) await queue.reportCompleted({ taskId, runId: 0 });
  await queue.reportFailed({ taskId: failed, runId: 0 });
  await queue.reportException({ taskId: malformed, runId: 0 }, { reason: "malformed-payload" });
  await queue.cancelTask({ taskId: canceled });
  await clock.advance(minute + DELAY + 1);
  await stack.runLoop("deadline");
  expect((await statusOf(late)).state).toBe("exception");
  const metrics = await (await fetch(`${stack.rootUrl}/metrics`)).text();
  const ofTheQueue = /^queue_(completed|failed|exception)_tasks\{provisionerId="count",workerType="ed"/;
  const counted = metrics.split("\n").filter((line) => ofTheQueue.test(line));
  expect(counted.toSorted()).toEqual([
    'queue_completed_tasks{provisionerId="count",workerType="ed"} 1',
    'queue_exception_tasks{provisionerId="count",workerType="ed",reasonResolved="canceled"} 1',
    'queue_exception_tasks{provisionerId="count",workerType="ed",reasonResolved="deadline-exceeded"} 1',
    'queue_exception_tasks{provisionerId="count",workerType="ed",reasonResolved="malformed-payload"} 1',
    'queue_failed_tasks{provisionerId="count",workerType="ed",reasonResolved="failed"} 1',
  ]);
});

it("the loops have logged no errors", () => {
  expect(
    stack.records.filter(({ level }) => level === "error" || (typeof level === "number" && level >= 50)),
  ).toEqual([]);
});
