// changeTaskPriority and changeTaskGroupPriority: order of claims, events, and refusals.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { priorityMismatches } from "../../../../../test/support/priority-mismatches.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { ClientError } from "../../../../client/index.ts";
import { PRIORITIES, type Priority, type TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";

const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock });
});
afterAll(() => stack.stop());

const create = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, overrides, clock.now());
const change = async (taskId: string, newPriority: Priority) =>
  (await stack.client.queue.changeTaskPriority({ taskId }, { newPriority })).status;
const changeGroup = (taskGroupId: string, newPriority: Priority) =>
  stack.client.queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const shutDown = (taskId: string, runId = 0) =>
  stack.client.queue.reportException({ taskId, runId }, { reason: "worker-shutdown" });
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
/** Claims all pending tasks of a queue and returns their ids in the order of the claim. */
async function claimAll(taskQueueId: string): Promise<string[]> {
  const { tasks } = await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 32 });
  return tasks.map(({ status }) => status.taskId);
}
let queues = 0;
/** Returns a queue that no other test uses. */
const newQueue = (): string => `test/own-${queues++}`;

describe("a task whose priority is changed", () => {
  it("has it in status and definition, and an event is published", async () => {
    const taskId = await create({ routes: ["a.b"], priority: "low" });
    const before = await stack.client.queue.task({ taskId });
    const status = await change(taskId, "very-high");
    expect(status).toMatchObject({ taskId, priority: "very-high", state: "pending" });
    expect(await statusOf(taskId)).toEqual(status);
    expect(await stack.client.queue.task({ taskId })).toEqual({ ...before, priority: "very-high" });
    expect((await eventsOf(taskId)).at(-1)).toEqual({
      kind: "task-priority-changed",
      routingKey: `primary.${taskId}._._._.test.queue.-.${taskId}._`,
      routes: ["a.b"],
      payload: { status, oldPriority: "low", newPriority: "very-high", version: 1 },
    });
  });

  it("is claimed in its new position immediately, ordered by its original position among equal priorities", async () => {
    const taskQueueId = newQueue();
    const [low, medium, high, second] = [
      await create({ taskQueueId, priority: "low" }),
      await create({ taskQueueId, priority: "medium" }),
      await create({ taskQueueId, priority: "high" }),
      await create({ taskQueueId, priority: "highest" }),
    ];
    await change(low, "highest");
    await change(high, "very-low");
    expect(await claimAll(taskQueueId)).toEqual([low, second, medium, high]);
  });

  it.each(PRIORITIES)("can have the priority %s", async (priority) => {
    const taskId = await create({ priority: priority === "low" ? "high" : "low" });
    expect((await change(taskId, priority)).priority).toBe(priority);
    expect((await stack.client.queue.task({ taskId })).priority).toBe(priority);
  });

  it("keeps other members and texts of its definition that look like a priority", async () => {
    const taskId = slugid();
    const lookalike = '"priority":"lowest","requires":';
    const definition = taskDefinition(
      {
        schedulerId: "priority",
        routes: [lookalike, '\\"priority\\":\\"lowest\\"'],
        scopes: [lookalike],
        payload: { priority: "lowest", deep: { priority: "lowest" } },
        tags: { priority: "lowest" },
        extra: { priority: "lowest" },
      },
      clock.now(),
    );
    await stack.client.queue.createTask({ taskId }, definition);
    await change(taskId, "highest");
    expect(await stack.client.queue.task({ taskId })).toMatchObject({ ...definition, priority: "highest" });
    expect((await claimAll("test/queue")).length).toBeGreaterThan(0);
  });

  it("conflicts with a repeated createTask with the old priority, but not with the new one", async () => {
    const taskId = slugid();
    const definition = { ...taskDefinition({}, clock.now()), priority: "low" } as const;
    await stack.client.queue.createTask({ taskId }, definition);
    await change(taskId, "high");
    await expect(stack.client.queue.createTask({ taskId }, definition)).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining(`taskId ${taskId} already used by another task`),
    });
    const again = await stack.client.queue.createTask({ taskId }, { ...definition, priority: "high" });
    expect(again.status.priority).toBe("high");
  });

  it("keeps running, and is retried with the new priority", async () => {
    const taskQueueId = newQueue();
    const taskId = await create({ taskQueueId });
    await claim(taskId);
    const before = await create({ taskQueueId, priority: "medium" });
    expect(await change(taskId, "high")).toMatchObject({ state: "running", priority: "high" });
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    await shutDown(taskId);
    expect(await claimAll(taskQueueId)).toEqual([taskId, before]);
  });

  it("is scheduled with the new priority", async () => {
    const taskQueueId = newQueue();
    const dependency = await create();
    const taskId = await create({ taskQueueId, dependencies: [dependency] });
    expect(await change(taskId, "high")).toMatchObject({ state: "unscheduled", runs: [] });
    const rival = await create({ taskQueueId, priority: "medium" });
    await claim(dependency);
    await stack.client.queue.reportCompleted({ taskId: dependency, runId: 0 });
    expect(await claimAll(taskQueueId)).toEqual([taskId, rival]);
  });

  it("may have been retried, which does not count as resolution", async () => {
    const taskQueueId = newQueue();
    const taskId = await create({ taskQueueId });
    await claim(taskId);
    await shutDown(taskId);
    const rival = await create({ taskQueueId, priority: "medium" });
    expect((await change(taskId, "highest")).runs).toHaveLength(2);
    expect(await claimAll(taskQueueId)).toEqual([taskId, rival]);
  });

  it("may have been started by a rerun, which does not count as resolution", async () => {
    const taskId = await create({ dependencies: [await create()] });
    await stack.client.queue.rerunTask({ taskId });
    expect((await change(taskId, "high")).priority).toBe("high");
  });
});

describe("a priority is not changed", () => {
  /** Returns the message of the refusal, which must have had no effect. */
  const refusalOf = async (taskId: string, newPriority: Priority): Promise<string> => {
    const before = await eventsOf(taskId);
    const err = await stack.client.queue.changeTaskPriority({ taskId }, { newPriority }).then(
      () => expect.unreachable("the change was accepted"),
      (err: ClientError) => err,
    );
    expect(err.code).toBe("RequestConflict");
    expect(await eventsOf(taskId)).toEqual(before);
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
    return err.message;
  };
  const wasResolved = "cannot be reprioritized: it is already resolved, or was before it was run again.";

  it("of a task that was resolved in any way, even if rerun since", async () => {
    const { queue } = stack.client;
    const resolutions = [
      (taskId: string) => queue.reportCompleted({ taskId, runId: 0 }),
      (taskId: string) => queue.reportFailed({ taskId, runId: 0 }),
      (taskId: string) => queue.reportException({ taskId, runId: 0 }, { reason: "internal-error" }),
      (taskId: string) => queue.cancelTask({ taskId }),
    ];
    for (const resolve of resolutions) {
      const taskId = await create();
      await claim(taskId);
      await resolve(taskId);
      expect(await refusalOf(taskId, "high")).toContain(wasResolved);
      expect(await refusalOf(taskId, "lowest")).toContain(wasResolved);
      await queue.rerunTask({ taskId });
      expect(await refusalOf(taskId, "high")).toContain(wasResolved);
      await claim(taskId, 1);
      expect(await refusalOf(taskId, "high")).toContain(wasResolved);
      await shutDown(taskId, 1);
      expect(await refusalOf(taskId, "high")).toContain(wasResolved);
    }
  });

  it("of an unscheduled task that was canceled and rerun", async () => {
    const taskId = await create({ dependencies: [await create()] });
    await stack.client.queue.cancelTask({ taskId });
    await stack.client.queue.rerunTask({ taskId });
    expect(await refusalOf(taskId, "high")).toContain(wasResolved);
  });

  it("to the current one", async () => {
    expect(await refusalOf(await create({ priority: "low" }), "low")).toContain(
      'it has the priority "low" already.',
    );
    const taskId = await create();
    await claim(taskId);
    await shutDown(taskId);
    expect(await refusalOf(taskId, "lowest")).toContain('it has the priority "lowest" already.');
  });

  it("after the deadline", async () => {
    const taskId = await create({ deadline: new Date(clock.now() + 60_000).toISOString() });
    await clock.advance(60_001);
    expect(await refusalOf(taskId, "high")).toContain(`The deadline of task ${taskId}`);
  });

  it("to an unknown one, of an unknown task, or without the scopes", async () => {
    const taskId = await create();
    const { queue } = stack.client;
    // The client's types do not allow it.
    const urgent = { newPriority: "urgent" as Priority };
    await expect(queue.changeTaskPriority({ taskId }, urgent)).rejects.toMatchObject({
      code: "InputValidationError",
      message: expect.stringContaining("data/newPriority must be equal to one of the allowed values"),
    });
    const unknown = slugid();
    await expect(change(unknown, "high")).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(`Task ${unknown} does not exist`),
    });
    for (const scope of [`queue:change-task-priority:${unknown}`, "queue:change-task-priority-in-queue:a/b"])
      await expect(
        stack.limited([scope]).queue.changeTaskPriority({ taskId }, { newPriority: "high" }),
      ).rejects.toMatchObject({ code: "InsufficientScopes" });
    expect((await statusOf(taskId)).priority).toBe("lowest");
  });
});

describe("a group whose priority is changed", () => {
  const createIn = (taskGroupId: string, overrides: Partial<TaskDefinitionRequest> = {}) =>
    create({ taskGroupId, schedulerId: "s", ...overrides });

  it("changes all tasks that were never resolved and have a different one, and publishes one event", async () => {
    const taskGroupId = slugid();
    const taskQueueId = newQueue();
    const resolved = await createIn(taskGroupId);
    await stack.client.queue.cancelTask({ taskId: resolved });
    await createIn(taskGroupId, { priority: "high" });
    const late = await createIn(taskGroupId, { deadline: new Date(clock.now() + 60_000).toISOString() });
    await clock.advance(60_001);
    const changed = [
      await createIn(taskGroupId, { taskQueueId, priority: "low" }),
      await createIn(taskGroupId, { taskQueueId, priority: "highest" }),
      await createIn(taskGroupId, { dependencies: [resolved] }),
    ];
    const rival = await create({ taskQueueId, priority: "very-high" });
    const reply = await changeGroup(taskGroupId, "high");
    const common = { taskGroupId, schedulerId: "s", newPriority: "high", tasksAffected: 3 };
    expect(reply).toEqual({ ...common, taskIds: changed.toSorted() });
    expect(await claimAll(taskQueueId)).toEqual([rival, changed[0], changed[1]]);
    expect((await statusOf(resolved)).priority).toBe("lowest");
    expect((await statusOf(late)).priority).toBe("lowest");
    const events = await queueEvents(stack.database.db, { taskGroupId });
    expect(events.filter(({ kind }) => kind.includes("priority"))).toEqual([
      {
        kind: "task-group-priority-changed",
        routingKey: `primary.${taskGroupId}.s._`,
        routes: [],
        payload: { ...common, version: 1 },
      },
    ]);
  });

  it("may have many tasks", async () => {
    const taskGroupId = slugid();
    const ids = await Promise.all(Array.from({ length: 450 }, () => createIn(taskGroupId)));
    const reply = await changeGroup(taskGroupId, "medium");
    expect(reply.taskIds).toEqual(ids.toSorted());
    expect(reply.tasksAffected).toBe(450);
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
    expect((await statusOf(ids[449] ?? "")).priority).toBe("medium");
  });

  it("publishes again if nothing is left to change, so that an interrupted call can be repeated", async () => {
    const taskGroupId = slugid();
    await createIn(taskGroupId);
    await changeGroup(taskGroupId, "medium");
    expect(await changeGroup(taskGroupId, "medium")).toMatchObject({ tasksAffected: 0, taskIds: [] });
    const events = summarize(await queueEvents(stack.database.db, { taskGroupId }));
    expect(events.slice(-2)).toEqual(["task-group-priority-changed", "task-group-priority-changed"]);
  });

  it("must exist, and the caller needs the scope of that group", async () => {
    const taskGroupId = slugid();
    await expect(changeGroup(taskGroupId, "low")).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(`Task group ${taskGroupId} does not exist`),
    });
    const taskId = await createIn(taskGroupId);
    const { queue } = stack.limited([`queue:change-task-group-priority:-/${taskGroupId}`]);
    await expect(
      queue.changeTaskGroupPriority({ taskGroupId }, { newPriority: "high" }),
    ).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining(`queue:change-task-group-priority:s/${taskGroupId}`),
    });
    expect((await statusOf(taskId)).priority).toBe("lowest");
  });
});
