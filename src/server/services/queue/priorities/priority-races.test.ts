// Changes of priorities concurrent with claims, retries, resolutions and each other, in one process and in two.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCopies, createTask } from "../../../../../test/support/factories.ts";
import { priorityMismatches } from "../../../../../test/support/priority-mismatches.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { untilLockWaits } from "../../../../../test/support/lock-waits.ts";
import { until } from "../../../../../test/support/until.ts";
import type { Priority, TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let other: Stack;
beforeAll(async () => {
  // So long that polling serves no claim.
  stack = await testStack({ manualLoops: true });
  other = await testStack({ manualLoops: true, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const create = (overrides: Partial<TaskDefinitionRequest> = {}) => createTask(stack.client, overrides);
const change = async (taskId: string, newPriority: Priority, by: Stack = stack) =>
  (await by.client.queue.changeTaskPriority({ taskId }, { newPriority })).status;
const changeGroup = (taskGroupId: string, newPriority: Priority) =>
  stack.client.queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
const claim = (taskId: string) => stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
/** Claims up to `tasks` pending tasks of a queue and returns their ids. */
async function claimTasks(taskQueueId: string, tasks: number): Promise<string[]> {
  const reply = await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks });
  return reply.tasks.map(({ status }) => status.taskId);
}
const claimAll = (taskQueueId: string) => claimTasks(taskQueueId, 32);
const claimOne = (taskQueueId: string) => claimTasks(taskQueueId, 1);

describe("concurrently", () => {
  /** Runs `body` `count` times, eight concurrently, with the two processes in alternating order. */
  async function repeat(
    count: number,
    body: (here: Stack, there: Stack, iteration: number) => Promise<void>,
  ) {
    for (let i = 0; i < count; i += 8)
      await Promise.all(
        Array.from({ length: 8 }, (_, j) =>
          j % 2 === 0 ? body(stack, other, i + j) : body(other, stack, i + j),
        ),
      );
  }
  const isConflict = (err: unknown): string => {
    expect(err).toMatchObject({ code: "RequestConflict" });
    return "refused";
  };

  it("a task is claimed: the events agree with the order of claim and change", async () => {
    await repeat(32, async (here, there) => {
      const taskId = await create();
      const [status] = await Promise.all([
        change(taskId, "high", here),
        there.client.queue.claimTask({ taskId, runId: 0 }, worker),
      ]);
      const events = (await eventsOf(taskId)).slice(2);
      const changedAt = events.findIndex(({ kind }) => kind === "task-priority-changed");
      expect(events[changedAt]?.payload.status).toEqual(status);
      expect(status.state).toBe(changedAt === 0 ? "pending" : "running");
      expect(await statusOf(taskId)).toMatchObject({ state: "running", priority: "high" });
    });
  });

  it("a task is retried: the retry has the priority of the task", async () => {
    await repeat(32, async (here, there) => {
      const taskId = await create();
      await claim(taskId);
      await Promise.all([
        change(taskId, "high", here),
        there.client.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" }),
      ]);
      expect(await statusOf(taskId)).toMatchObject({ state: "pending", priority: "high" });
    });
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
  });

  it("a task is resolved: the change is applied before or refused", async () => {
    await repeat(32, async (here, there, iteration) => {
      const taskId = await create();
      await claim(taskId);
      const run = { taskId, runId: 0 };
      const [outcome] = await Promise.all([
        change(taskId, "high", here).then(() => "changed", isConflict),
        iteration % 3 === 0 ? there.client.queue.cancelTask(run) : there.client.queue.reportCompleted(run),
      ]);
      const events = summarize(await eventsOf(taskId)).slice(3);
      expect(events).toHaveLength(outcome === "changed" ? 2 : 1);
      if (outcome === "changed") expect(events[0]).toBe("task-priority-changed");
      expect((await statusOf(taskId)).priority).toBe(outcome === "changed" ? "high" : "lowest");
    });
  });

  it("a task is changed twice: the old priority of the second event is the new one of the first", async () => {
    await repeat(32, async (here, there) => {
      const taskId = await create();
      await Promise.all([change(taskId, "high", here), change(taskId, "low", there)]);
      const changes = (await eventsOf(taskId)).slice(2).map(({ payload }) => payload);
      expect(changes).toMatchObject([
        { oldPriority: "lowest" },
        { newPriority: (await statusOf(taskId)).priority },
      ]);
      expect(changes[1]).toMatchObject({ oldPriority: changes[0]?.status?.priority });
    });
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
  });

  it("a change waits for a claim that is not committed, and returns the state after it", async () => {
    const { db } = stack.database;
    const taskId = await create();
    let changeReply: Promise<{ state: string }> = Promise.resolve({ state: "" });
    await db.tx(async (tx) => {
      await tx.run(sql`
        update runs set state = 'running', worker_group = 'g', worker_id = 'w', started = now(), taken_until = now()
        where task_id = ${taskId}`);
      changeReply = change(taskId, "high");
      await untilLockWaits(db);
    });
    expect(await changeReply).toMatchObject({ state: "running", priority: "high" });
  });

  it("a claim skips a task that is being changed, and receives it afterwards", async () => {
    const { db } = stack.database;
    const taskQueueId = "test/own-1";
    const taskId = await create({ taskQueueId });
    const next = await create({ taskQueueId });
    let changeReply: Promise<unknown> = Promise.resolve();
    let claims: Promise<string[]>[] = [];
    // This transaction locks the definition, so that the change waits while it holds its own locks.
    await db.tx(async (tx) => {
      await tx.run(sql`select from task_definitions where task_id = ${taskId} for update`);
      changeReply = change(taskId, "high");
      await until("the change to lock the run", async () => {
        const lockRun = sql`select from runs where task_id = ${taskId} for update skip locked`;
        return (await db.run(lockRun)) === 0;
      });
      // One of them receives the task behind the locked one, the other waits.
      claims = [claimOne(taskQueueId), claimOne(taskQueueId)];
      expect(await Promise.race(claims)).toEqual([next]);
    });
    await changeReply;
    expect((await Promise.all(claims)).flat().toSorted()).toEqual([taskId, next].toSorted());
  });

  it.each(["complete", "retry", "cancel", "release"] as const)(
    "to %s a task that is being changed waits for the change, and publishes the new priority",
    async (action) => {
      const { db } = stack.database;
      const required = await create();
      await claim(required);
      const taskId = await create(action === "release" ? { dependencies: [required] } : {});
      if (action !== "release") await claim(taskId);
      const run = { taskId, runId: 0 };
      const { queue } = other.client;
      const calls = {
        release: () =>
          queue.reportCompleted({ taskId: required, runId: 0 }).then(() => queue.status({ taskId })),
        complete: () => queue.reportCompleted(run),
        retry: () => queue.reportException(run, { reason: "worker-shutdown" }),
        cancel: () => queue.cancelTask({ taskId }),
      };
      let replies: Promise<unknown[]> = Promise.resolve([]);
      await db.tx(async (tx) => {
        await tx.run(sql`select from task_definitions where task_id = ${taskId} for update`);
        const changeReply = change(taskId, "high");
        await untilLockWaits(db, 1);
        replies = Promise.all([calls[action](), changeReply]);
        await untilLockWaits(db, 2);
      });
      expect(await replies).toMatchObject([{ status: { priority: "high" } }, {}]);
      const priorities = (await eventsOf(taskId)).map(({ payload }) => payload.status?.priority);
      expect(priorities.slice(priorities.indexOf("high"))).not.toContain("lowest");
    },
  );

  it("whole groups are changed, claimed and canceled: the result is consistent, and no call fails", async () => {
    const taskGroupId = slugid();
    const taskQueueId = "test/own-2";
    const ids = await createCopies(stack.client, 120, { taskGroupId, taskQueueId });
    await stack.client.queue.sealTaskGroup({ taskGroupId });
    const calls = [
      changeGroup(taskGroupId, "high"),
      changeGroup(taskGroupId, "low"),
      claimAll(taskQueueId),
      ...ids.slice(0, 20).map((taskId) => change(taskId, "medium", other).catch(isConflict)),
      other.client.queue.cancelTaskGroup({ taskGroupId }),
      changeGroup(taskGroupId, "very-high"),
    ];
    await Promise.all(calls);
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
    expect(new Set(tasks.map(({ status }) => status.state))).toEqual(new Set(["exception"]));
    for (const { records } of [stack, other])
      expect(records.filter((record) => "incidentId" in record)).toEqual([]);
  });
});
