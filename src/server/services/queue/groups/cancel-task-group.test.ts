// Canceling a whole group, small and large, also while workers process it.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createCopies, createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";
import { dependentsFirst } from "./cancel-task-group.ts";

const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let other: Stack;
beforeAll(async () => {
  stack = await testStack({ clock });
  other = await testStack({ clock, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const seal = (taskGroupId: string) => stack.client.queue.sealTaskGroup({ taskGroupId });
const cancel = (taskGroupId: string, by: Stack = stack) => by.client.queue.cancelTaskGroup({ taskGroupId });
const add = (taskGroupId: string, overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, { taskGroupId, schedulerId: "s", ...overrides }, clock.now());
const addCopies = (taskGroupId: string, count: number, overrides: Partial<TaskDefinitionRequest> = {}) =>
  createCopies(stack.client, count, { taskGroupId, schedulerId: "s", ...overrides }, clock.now());
const claim = (taskId: string) => stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
const groupStory = async (taskGroupId: string) =>
  summarize(await queueEvents(stack.database.db, { taskGroupId }));

/** Fills a group with tasks in every state. Returns those that are unresolved and those that are resolved. */
async function mixedGroup(taskGroupId: string) {
  const open = {
    pending: await add(taskGroupId),
    running: await add(taskGroupId, { tags: { a: "b" }, priority: "high", routes: ["r"] }),
    unscheduled: "",
  };
  open.unscheduled = await add(taskGroupId, { dependencies: [open.pending] });
  const [completed, failed, canceled] = [
    await add(taskGroupId),
    await add(taskGroupId),
    await add(taskGroupId),
  ];
  for (const taskId of [open.running, completed, failed]) await claim(taskId);
  await stack.client.queue.reportCompleted({ taskId: completed, runId: 0 });
  await stack.client.queue.reportFailed({ taskId: failed, runId: 0 });
  await stack.client.queue.cancelTask({ taskId: canceled });
  return { open, resolved: [completed, failed, canceled] };
}

describe("a canceled group", () => {
  it("has its unresolved tasks canceled, returns their ids, and leaves the others unchanged", async () => {
    const taskGroupId = slugid();
    const { open, resolved } = await mixedGroup(taskGroupId);
    const before = await Promise.all(resolved.map(statusOf));
    await seal(taskGroupId);
    const reply = await cancel(taskGroupId);
    expect(reply).toEqual({
      taskGroupId,
      taskGroupSize: 6,
      cancelledCount: 3,
      taskIds: expect.any(Array),
    });
    expect(reply.taskIds.toSorted()).toEqual(Object.values(open).toSorted());
    for (const taskId of reply.taskIds)
      expect((await statusOf(taskId)).runs).toMatchObject([
        { state: "exception", reasonResolved: "canceled", resolved: new Date(clock.now()).toISOString() },
      ]);
    expect(await Promise.all(resolved.map(statusOf))).toEqual(before);
    expect((await groupStory(taskGroupId)).at(-1)).toBe("task-group-resolved");
  });

  it("publishes the same event for each task as cancelTask", async () => {
    const taskGroupId = slugid();
    const { open } = await mixedGroup(taskGroupId);
    await seal(taskGroupId);
    await cancel(taskGroupId);
    for (const taskId of Object.values(open)) {
      const status = await statusOf(taskId);
      const event = (await eventsOf(taskId)).at(-1);
      expect(event).toMatchObject({ kind: "task-exception", payload: { runId: 0, status } });
    }
    expect((await eventsOf(open.running)).at(-1)).toMatchObject({
      routes: ["r"],
      payload: { ...worker, task: { tags: { a: "b" } }, status: { priority: "high" } },
    });
    expect((await eventsOf(open.pending)).at(-1)?.payload).not.toHaveProperty("workerId");
  });

  it("can be canceled again, which only affects tasks that were rerun", async () => {
    const taskGroupId = slugid();
    const [first, second] = [await add(taskGroupId), await add(taskGroupId)];
    await seal(taskGroupId);
    await cancel(taskGroupId);
    const events = await groupStory(taskGroupId);
    const nothing = { taskGroupId, taskGroupSize: 2, cancelledCount: 0, taskIds: [] };
    expect(await cancel(taskGroupId)).toEqual(nothing);
    expect(await groupStory(taskGroupId)).toEqual(events);
    await stack.client.queue.rerunTask({ taskId: second });
    expect(await cancel(taskGroupId)).toEqual({ ...nothing, cancelledCount: 1, taskIds: [second] });
    expect(summarize(await eventsOf(second)).slice(-2)).toEqual(["task-pending 1", "task-exception 1"]);
    expect(summarize(await eventsOf(first)).at(-1)).toBe("task-exception 0");
  });

  it("leaves tasks past their deadline to the deadline loop", async () => {
    const taskGroupId = slugid();
    const deadline = new Date(clock.now() + 60_000).toISOString();
    const late = await add(taskGroupId, { deadline });
    const open = await add(taskGroupId);
    await seal(taskGroupId);
    await clock.advance(60_001);
    expect(await cancel(taskGroupId)).toMatchObject({ taskGroupSize: 2, taskIds: [open] });
    expect((await statusOf(late)).state).toBe("pending");
  });

  it("does not schedule dependents that it is about to cancel, whatever the order of their ids", async () => {
    const taskGroupId = slugid();
    const requires = "all-resolved";
    const first = await add(taskGroupId);
    const chain = [first];
    // A chain, and more tasks than one batch holds.
    for (let i = 0; i < 30; i++)
      chain.push(await add(taskGroupId, { dependencies: [chain.at(-1) ?? ""], requires }));
    await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        add(taskGroupId, { dependencies: [chain[1 + (i % 30)] ?? "", first], requires }),
      ),
    );
    await claim(first);
    await seal(taskGroupId);
    expect(await cancel(taskGroupId)).toMatchObject({ cancelledCount: 331 });
    const events = await groupStory(taskGroupId);
    expect(events.filter((line) => line.startsWith("task-pending"))).toHaveLength(1);
    expect(events.filter((line) => line === "task-exception 0")).toHaveLength(331);
    expect(events.filter((line) => line === "task-group-resolved")).toHaveLength(1);
  });

  it("schedules dependents in other groups that require any resolution", async () => {
    const taskGroupId = slugid();
    const taskId = await add(taskGroupId);
    const dependent = await add(slugid(), { dependencies: [taskId], requires: "all-resolved" });
    await seal(taskGroupId);
    await cancel(taskGroupId);
    expect((await statusOf(dependent)).state).toBe("pending");
  });

  it("is counted in the metrics", async () => {
    const taskGroupId = slugid();
    await add(taskGroupId, { taskQueueId: "counted/queue" });
    await add(taskGroupId, { taskQueueId: "counted/queue" });
    await seal(taskGroupId);
    await cancel(taskGroupId);
    const metrics = await (await fetch(`${stack.rootUrl}/metrics`)).text();
    expect(metrics).toContain(
      'queue_exception_tasks{provisionerId="counted",workerType="queue",reasonResolved="canceled"} 2',
    );
  });
});

describe("a group is not canceled", () => {
  it("if it does not exist", async () => {
    const taskGroupId = slugid();
    await expect(cancel(taskGroupId)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: `Task group ${taskGroupId} does not exist: no task was created in it, or it has expired. Check the id and the root URL.`,
    });
  });

  it("before it is sealed, which callers without scopes do not learn", async () => {
    const taskGroupId = slugid();
    const taskId = await add(taskGroupId);
    await expect(stack.client.queue.cancelTaskGroup({ taskGroupId })).rejects.toMatchObject({
      code: "RequestConflict",
      message: `Task group ${taskGroupId} is not sealed, so tasks could be added while it is canceled. Seal the group first, with sealTaskGroup.`,
    });
    const stranger = stack.as(undefined).queue.cancelTaskGroup({ taskGroupId });
    await expect(stranger).rejects.toMatchObject({ code: "InsufficientScopes" });
    expect((await statusOf(taskId)).state).toBe("pending");
  });

  it("without the scope of that group", async () => {
    const taskGroupId = slugid();
    const taskId = await add(taskGroupId);
    await seal(taskGroupId);
    for (const scope of [`queue:cancel-task-group:-/${taskGroupId}`, `queue:cancel-task:s/${taskGroupId}/*`])
      await expect(stack.limited([scope]).queue.cancelTaskGroup({ taskGroupId })).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(`queue:cancel-task-group:s/${taskGroupId}`),
      });
    expect((await statusOf(taskId)).state).toBe("pending");
    const { queue } = stack.limited([`queue:cancel-task-group:s/${taskGroupId}`]);
    expect(await queue.cancelTaskGroup({ taskGroupId })).toMatchObject({ taskIds: [taskId] });
  });
});

describe("concurrently", () => {
  it("several cancels resolve every task once, and each returns the tasks it canceled", async () => {
    const taskGroupId = slugid();
    const ids = await addCopies(taskGroupId, 600);
    await seal(taskGroupId);
    const replies = await Promise.all([stack, other, stack].map((by) => cancel(taskGroupId, by)));
    expect(replies.flatMap(({ taskIds }) => taskIds).toSorted()).toEqual(ids.toSorted());
    const events = await groupStory(taskGroupId);
    expect(events.filter((line) => line === "task-exception 0")).toHaveLength(600);
    expect(events.filter((line) => line === "task-group-resolved")).toHaveLength(1);
  });

  it("tasks are claimed, reported and retried: all are resolved, and each resolution is published once", async () => {
    const taskQueueId = "busy/queue";
    const taskGroupId = slugid();
    const ids = await addCopies(taskGroupId, 300, { taskQueueId });
    await seal(taskGroupId);
    let isCanceled = false;
    const work = async ({ client: { queue } }: Stack): Promise<void> => {
      while (!isCanceled) {
        const signal = AbortSignal.timeout(50);
        const { tasks } = await queue
          .claimWork({ taskQueueId }, { ...worker, tasks: 4 }, { signal })
          .catch(() => ({ tasks: [] }));
        for (const [i, { status, runId }] of tasks.entries()) {
          const run = { taskId: status.taskId, runId };
          const report =
            i % 2 === 0
              ? queue.reportCompleted(run)
              : queue.reportException(run, { reason: "worker-shutdown" });
          await report.catch((err: unknown) => expect(err).toMatchObject({ code: "RequestConflict" }));
        }
      }
    };
    const workers = [stack, other, stack].map(work);
    const { taskIds } = await cancel(taskGroupId, other);
    isCanceled = true;
    await Promise.all(workers);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
    const canceled = tasks.filter(({ status }) => status.runs.at(-1)?.reasonResolved === "canceled");
    expect(canceled.map(({ status }) => status.taskId)).toEqual(taskIds.toSorted());
    expect(new Set(tasks.map(({ status }) => status.state))).not.toContain("pending");
    expect(tasks).toHaveLength(ids.length);
    const events = await queueEvents(stack.database.db, { taskGroupId });
    for (const { status } of tasks) {
      const own = summarize(events.filter(({ payload }) => payload.status?.taskId === status.taskId));
      const last = status.runs.length - 1;
      expect(
        own.filter((line) => line === `task-exception ${last}` || line === `task-completed ${last}`),
      ).toEqual([`task-${status.state} ${last}`]);
    }
  });
});

describe("a large group", () => {
  /** Adds copies of a pending task to its group by SQL. */
  async function copyBySql(of: string, taskGroupId: string, count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => slugid());
    await stack.database.db.run(sql`
      with copy as (
        insert into tasks
        select (jsonb_populate_record(t, jsonb_build_object('task_id', id))).*
        from unnest(${ids}::text[]) id, tasks t where t.task_id = ${of}
      ),
      run as (
        insert into runs (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
        select id, 0, r.state, r.reason_created, r.scheduled, r.task_queue_id, r.priority, r.deadline
        from unnest(${ids}::text[]) id, runs r where r.task_id = ${of}
      )
      update task_groups set unresolved = unresolved + ${count} where task_group_id = ${taskGroupId}`);
    return ids;
  }

  it("is canceled in several statements; repeating a call that failed halfway cancels the rest", async () => {
    const taskGroupId = slugid();
    const first = await add(taskGroupId);
    const ids = [first, ...(await copyBySql(first, taskGroupId, 10_000))].toSorted();
    await seal(taskGroupId);
    const { db } = stack.database;
    let failure: unknown;
    // A transaction locks a task of the last statement; the connection that waits for the lock is terminated.
    await db.tx(async (tx) => {
      await tx.run(sql`select from tasks where task_id = ${ids.at(-1)} for update`);
      const call = cancel(taskGroupId).catch((err: unknown) => (failure = err));
      await until("the last statement to wait for the lock", async () => {
        const terminated = await db.run(sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`);
        return terminated > 0;
      });
      await call;
    });
    expect(failure).toMatchObject({ statusCode: 503 });
    const reply = await cancel(taskGroupId);
    expect(reply).toMatchObject({ taskGroupSize: 10_001, cancelledCount: reply.taskIds.length });
    expect(reply.taskIds).toContain(ids.at(-1));
    // 40 batches of 250 were canceled before.
    expect(reply.taskIds.length).toBeLessThanOrEqual(250);
    const canceledRuns = await db.run(sql`
      select from runs r join tasks t using (task_id)
      where t.task_group_id = ${taskGroupId} and r.reason_resolved = 'canceled'`);
    expect(canceledRuns).toBe(10_001);
    const events = await groupStory(taskGroupId);
    expect(events.filter((line) => line === "task-exception 0")).toHaveLength(10_001);
    expect(events.filter((line) => line === "task-group-resolved")).toHaveLength(1);
  });
});

describe("dependents first", () => {
  it("orders the same tasks so that each comes after its dependents", () => {
    const graph = fc.integer({ min: 1, max: 30 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        edges: fc.array(fc.tuple(fc.nat({ max: size }), fc.nat({ max: size })), { maxLength: 80 }),
        order: fc.shuffledSubarray(
          Array.from({ length: size }, (_, i) => String(i)),
          { minLength: size },
        ),
      }),
    );
    fc.assert(
      fc.property(graph, ({ edges, order }) => {
        // From the larger to the smaller number, so that no cycle exists; some edges point outside the list.
        const rows = edges
          .filter(([a, b]) => a !== b)
          .map(([a, b]) => ({ dependent: String(Math.max(a, b)), required: String(Math.min(a, b)) }));
        const sorted = dependentsFirst(order, rows);
        expect(sorted.toSorted()).toEqual(order.toSorted());
        for (const { dependent, required } of rows)
          if (order.includes(dependent) && order.includes(required))
            expect(sorted.indexOf(dependent)).toBeLessThan(sorted.indexOf(required));
      }),
    );
  });

  it("keeps all tasks if they depend on each other in a cycle", () => {
    const edges = [
      { dependent: "a", required: "b" },
      { dependent: "b", required: "a" },
      { dependent: "c", required: "a" },
    ];
    expect(dependentsFirst(["a", "b", "c"], edges)).toEqual(["c", "a", "b"]);
  });
});
