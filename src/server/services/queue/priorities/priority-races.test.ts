// Changes of priorities that meet claims, retries, resolutions and each other, in one process or in two.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { priorityMismatches } from "../../../../../test/support/priority-mismatches.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import type { Priority, TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let other: Stack;
beforeAll(async () => {
  // So long that nobody is served by a poll.
  const config = { queue: { loopInterval: 1_000_000 } };
  stack = await testStack({ config });
  other = await testStack({ config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const create = (more: Partial<TaskDefinitionRequest> = {}) => createTask(stack.client, more);
const change = async (taskId: string, newPriority: Priority, by: Stack = stack) =>
  (await by.client.queue.changeTaskPriority({ taskId }, { newPriority })).status;
const changeGroup = (taskGroupId: string, newPriority: Priority) =>
  stack.client.queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
const claim = (taskId: string) => stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
/** Takes all that waits in a queue; answers the ids of the tasks. */
async function takeAll(taskQueueId: string): Promise<string[]> {
  const { tasks } = await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 32 });
  return tasks.map(({ status }) => status.taskId);
}

describe("at the same time", () => {
  /** Does `body` often, some at once, each time with the two processes in another order. */
  async function rounds(count: number, body: (here: Stack, there: Stack, round: number) => Promise<void>) {
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

  it("a task is claimed: it is done in one order, which the log tells", async () => {
    await rounds(48, async (here, there) => {
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

  it("a task is tried again: the retry has the priority that the task has", async () => {
    await rounds(64, async (here, there) => {
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

  it("a task is resolved: it is changed before, or not at all", async () => {
    await rounds(48, async (here, there, round) => {
      const taskId = await create();
      await claim(taskId);
      const run = { taskId, runId: 0 };
      const [outcome] = await Promise.all([
        change(taskId, "high", here).then(() => "changed", isConflict),
        round % 3 === 0 ? there.client.queue.cancelTask(run) : there.client.queue.reportCompleted(run),
      ]);
      const told = story(await eventsOf(taskId)).slice(3);
      expect(told).toHaveLength(outcome === "changed" ? 2 : 1);
      if (outcome === "changed") expect(told[0]).toBe("task-priority-changed");
      expect((await statusOf(taskId)).priority).toBe(outcome === "changed" ? "high" : "lowest");
    });
  });

  it("a task is changed twice: the log tells what it was and became, one after the other", async () => {
    await rounds(48, async (here, there) => {
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

  it("a change that meets a claim half-way waits for it, and tells what became of it", async () => {
    const { db } = stack.database;
    const taskId = await create();
    let changing: Promise<{ state: string }> = Promise.resolve({ state: "" });
    await db.tx(async (tx) => {
      await tx.run(sql`
        update runs set state = 'running', worker_group = 'g', worker_id = 'w', started = now(), taken_until = now()
        where task_id = ${taskId}`);
      changing = change(taskId, "high");
      await until("the change to wait for us", async () => {
        const waiting = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        return waiting > 0;
      });
    });
    expect(await changing).toMatchObject({ state: "running", priority: "high" });
  });

  it("a claim skips a task that is being changed, and gets it afterwards", async () => {
    const { db } = stack.database;
    const taskQueueId = "test/own-1";
    const taskId = await create({ taskQueueId });
    let changing: Promise<unknown> = Promise.resolve();
    let claiming: Promise<string[]> = Promise.resolve([]);
    // Somebody else holds the definition, so that the change waits, its locks held.
    await db.tx(async (tx) => {
      await tx.run(sql`select from task_definitions where task_id = ${taskId} for update`);
      changing = change(taskId, "high");
      await until("the change to hold the run", async () => {
        const free = sql`select from runs where task_id = ${taskId} for update skip locked`;
        return (await db.run(free)) === 0;
      });
      const begin = new Date().toISOString();
      claiming = takeAll(taskQueueId);
      await until("the claim to find nothing", async () => {
        const looked = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and state = 'idle'
            and query like '%claimer%' and query_start > ${begin}::timestamptz`);
        return looked > 0;
      });
    });
    await changing;
    expect(await claiming).toEqual([taskId]);
  });

  it.each(["complete", "try again", "cancel", "release"] as const)(
    "to %s a task that is being changed waits for that, and tells the new priority",
    async (what) => {
      const { db } = stack.database;
      const required = await create();
      await claim(required);
      const taskId = await create(what === "release" ? { dependencies: [required] } : {});
      if (what !== "release") await claim(taskId);
      const run = { taskId, runId: 0 };
      const { queue } = other.client;
      const calls = {
        release: () =>
          queue.reportCompleted({ taskId: required, runId: 0 }).then(() => queue.status({ taskId })),
        complete: () => queue.reportCompleted(run),
        "try again": () => queue.reportException(run, { reason: "worker-shutdown" }),
        cancel: () => queue.cancelTask({ taskId }),
      };
      const waiting = (count: number) =>
        until(`${count} to wait`, async () => {
          const found = await db.run(sql`
            select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
          return found === count;
        });
      let done: Promise<unknown[]> = Promise.resolve([]);
      await db.tx(async (tx) => {
        await tx.run(sql`select from task_definitions where task_id = ${taskId} for update`);
        const changing = change(taskId, "high");
        await waiting(1);
        done = Promise.all([calls[what](), changing]);
        await waiting(2);
      });
      expect(await done).toMatchObject([{ status: { priority: "high" } }, {}]);
      const told = (await eventsOf(taskId)).map(({ payload }) => payload.status?.priority);
      expect(told.slice(told.indexOf("high"))).not.toContain("lowest");
    },
  );

  it("whole groups are changed, claimed and canceled: all agrees in the end, and nothing fails", async () => {
    const taskGroupId = slugid();
    const taskQueueId = "test/own-2";
    const ids = await Promise.all(Array.from({ length: 120 }, () => create({ taskGroupId, taskQueueId })));
    await stack.client.queue.sealTaskGroup({ taskGroupId });
    const calls = [
      changeGroup(taskGroupId, "high"),
      changeGroup(taskGroupId, "low"),
      takeAll(taskQueueId),
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
