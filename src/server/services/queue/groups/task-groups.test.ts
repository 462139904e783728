// A group is resolved when each of its tasks has been resolved at least once.
import { beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const claim = (taskId: string, runId = 0) =>
  stack.client.queue.claimTask({ taskId, runId }, { workerGroup: "g", workerId: "w" });
const complete = (taskId: string, runId = 0) => stack.client.queue.reportCompleted({ taskId, runId });
const cancel = (taskId: string) => stack.client.queue.cancelTask({ taskId });
const add = (taskGroupId: string, dependencies: string[] = []) =>
  createTask(stack.client, { taskGroupId, dependencies, schedulerId: "s" });
const resolvedEvents = async (taskGroupId: string) =>
  (await queueEvents(stack.database.db, { taskGroupId })).filter(
    ({ kind }) => kind === "task-group-resolved",
  );
const timesResolved = async (taskGroupId: string) => (await resolvedEvents(taskGroupId)).length;

async function addRunning(taskGroupId: string): Promise<string> {
  const taskId = await add(taskGroupId);
  await claim(taskId);
  return taskId;
}

describe("a group", () => {
  it("is resolved with the last of its tasks, whose event is published first", async () => {
    const taskGroupId = slugid();
    const [first, second, third] = [
      await addRunning(taskGroupId),
      await addRunning(taskGroupId),
      await add(taskGroupId),
    ];
    await complete(first);
    await stack.client.queue.reportFailed({ taskId: second, runId: 0 });
    expect(await timesResolved(taskGroupId)).toBe(0);
    await cancel(third);
    const events = await queueEvents(stack.database.db, { taskGroupId });
    expect(summarize(events).slice(-2)).toEqual(["task-exception 0", "task-group-resolved"]);
    const { expires } = await stack.client.queue.getTaskGroup({ taskGroupId });
    expect(events.at(-1)).toEqual({
      kind: "task-group-resolved",
      routingKey: `primary.${taskGroupId}.s._`,
      routes: [],
      payload: { taskGroupId, schedulerId: "s", expires, version: 1 },
    });
  });

  it("includes the time at which it was sealed in the event", async () => {
    const taskGroupId = slugid();
    const taskId = await add(taskGroupId);
    const sealed = "2026-01-01T00:00:00.000Z";
    await stack.database.db.run(sql`
      update task_groups set sealed = ${sealed}::timestamptz where task_group_id = ${taskGroupId}`);
    await cancel(taskId);
    expect((await resolvedEvents(taskGroupId))[0]?.payload).toMatchObject({ sealed });
  });

  it("is not resolved while a task is unscheduled, even if its dependency failed", async () => {
    const taskGroupId = slugid();
    const taskId = await addRunning(taskGroupId);
    const dependent = await add(taskGroupId, [taskId]);
    await stack.client.queue.reportFailed({ taskId, runId: 0 });
    expect(await timesResolved(taskGroupId)).toBe(0);
    await cancel(dependent);
    expect(await timesResolved(taskGroupId)).toBe(1);
  });

  it("is not resolved by a run that is retried", async () => {
    const taskGroupId = slugid();
    const taskId = await addRunning(taskGroupId);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
    expect(await timesResolved(taskGroupId)).toBe(0);
    await claim(taskId, 1);
    await complete(taskId, 1);
    expect(await timesResolved(taskGroupId)).toBe(1);
  });

  it("is resolved again by each resolved rerun, unless a task is still unresolved", async () => {
    const taskGroupId = slugid();
    const [first, second] = [await addRunning(taskGroupId), await addRunning(taskGroupId)];
    const rerun = async (taskId: string, runId: number) => {
      await stack.client.queue.rerunTask({ taskId });
      await claim(taskId, runId);
      await complete(taskId, runId);
    };
    await complete(first);
    await rerun(first, 1);
    expect(await timesResolved(taskGroupId)).toBe(0);
    await complete(second);
    expect(await timesResolved(taskGroupId)).toBe(1);
    await rerun(first, 2);
    await rerun(second, 1);
    expect(await timesResolved(taskGroupId)).toBe(3);
    await add(taskGroupId);
    await rerun(first, 3);
    expect(await timesResolved(taskGroupId)).toBe(3);
  });

  it("counts each task once, however its first run was created", async () => {
    const taskGroupId = slugid();
    const open = await add(slugid());
    const [rerun, canceled, scheduled] = [
      await add(taskGroupId, [open]),
      await add(taskGroupId, [open]),
      await add(taskGroupId, [open]),
    ];
    await stack.client.queue.rerunTask({ taskId: rerun });
    await claim(rerun);
    await stack.client.queue.reportException({ taskId: rerun, runId: 0 }, { reason: "worker-shutdown" });
    await cancel(rerun);
    await cancel(canceled);
    await stack.client.queue.rerunTask({ taskId: canceled });
    await cancel(canceled);
    expect(await timesResolved(taskGroupId)).toBe(0);
    await stack.client.queue.scheduleTask({ taskId: scheduled });
    await cancel(scheduled);
    expect(await timesResolved(taskGroupId)).toBe(1);
    const resolvedGroups = await stack.database.db.run(sql`
      select from task_groups where task_group_id = ${taskGroupId} and unresolved = 0`);
    expect(resolvedGroups).toBe(1);
  });

  it("is resolved once if its last two tasks resolve concurrently in any combination", async () => {
    const resolutions = [
      complete,
      (taskId: string) => stack.client.queue.reportFailed({ taskId, runId: 0 }),
      cancel,
    ];
    for (let iteration = 0; iteration < 60; iteration += 10)
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const taskGroupId = slugid();
          const ids = [await addRunning(taskGroupId), await addRunning(taskGroupId)] as const;
          const [one, other] = [
            resolutions[i % 3] ?? complete,
            resolutions[(iteration / 10 + i) % 3] ?? complete,
          ];
          await Promise.all([one(ids[0]), other(ids[1])]);
          expect(await timesResolved(taskGroupId)).toBe(1);
          const events = summarize(await queueEvents(stack.database.db, { taskGroupId }));
          expect(events.at(-1)).toBe("task-group-resolved");
        }),
      );
  });

  it("is resolved once if tasks are added while others resolve", async () => {
    const taskGroupId = slugid();
    await add(taskGroupId);
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        await complete(await addRunning(taskGroupId));
      }),
    );
    expect(await timesResolved(taskGroupId)).toBe(0);
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
    const pending = tasks
      .filter(({ status }) => status.state === "pending")
      .map(({ status }) => status.taskId);
    expect(pending).toHaveLength(1);
    await cancel(pending[0] ?? "");
    expect(await timesResolved(taskGroupId)).toBe(1);
  });
});
