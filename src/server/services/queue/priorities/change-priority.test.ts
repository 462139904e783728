// Changing priorities, of a task and of a group: who is claimed first, what the log says, and what is refused.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { priorityMismatches } from "../../../../../test/support/priority-mismatches.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
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

const create = (more: Partial<TaskDefinitionRequest> = {}) => createTask(stack.client, more, clock.now());
const change = async (taskId: string, newPriority: Priority) =>
  (await stack.client.queue.changeTaskPriority({ taskId }, { newPriority })).status;
const changeGroup = (taskGroupId: string, newPriority: Priority) =>
  stack.client.queue.changeTaskGroupPriority({ taskGroupId }, { newPriority });
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const shutDown = (taskId: string, runId = 0) =>
  stack.client.queue.reportException({ taskId, runId }, { reason: "worker-shutdown" });
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
/** The ids of the tasks that wait in a queue, in the order in which they are handed out; it takes them. */
async function takeAll(taskQueueId: string): Promise<string[]> {
  const { tasks } = await stack.client.queue.claimWork({ taskQueueId }, { ...worker, tasks: 32 });
  return tasks.map(({ status }) => status.taskId);
}
/** The name of a queue that nobody else uses. */
let queues = 0;
const newQueue = (): string => `test/own-${queues++}`;

describe("a task whose priority is changed", () => {
  it("says so in status and definition, and the log tells it", async () => {
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

  it("is claimed in its new place at once, up or down, after those of the same priority that came before", async () => {
    const taskQueueId = newQueue();
    const [low, medium, high, second] = [
      await create({ taskQueueId, priority: "low" }),
      await create({ taskQueueId, priority: "medium" }),
      await create({ taskQueueId, priority: "high" }),
      await create({ taskQueueId, priority: "highest" }),
    ];
    await change(low, "highest");
    await change(high, "very-low");
    expect(await takeAll(taskQueueId)).toEqual([low, second, medium, high]);
  });

  it.each(PRIORITIES)("can be given the priority %s", async (priority) => {
    const taskId = await create({ priority: priority === "low" ? "high" : "low" });
    expect((await change(taskId, priority)).priority).toBe(priority);
    expect((await stack.client.queue.task({ taskId })).priority).toBe(priority);
  });

  it("has only its own priority changed in a definition that is full of them", async () => {
    const taskId = slugid();
    const strange = '"priority":"lowest","requires":';
    const definition = taskDefinition(
      {
        schedulerId: "priority",
        routes: [strange, '\\"priority\\":\\"lowest\\"'],
        scopes: [strange],
        payload: { priority: "lowest", deep: { priority: "lowest" } },
        tags: { priority: "lowest" },
        extra: { priority: "lowest" },
      },
      clock.now(),
    );
    await stack.client.queue.createTask({ taskId }, definition);
    await change(taskId, "highest");
    expect(await stack.client.queue.task({ taskId })).toMatchObject({ ...definition, priority: "highest" });
    expect((await takeAll("test/queue")).length).toBeGreaterThan(0);
  });

  it("is another task to who creates it again as it was, and the same as it is", async () => {
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

  it("runs on where it runs, and is tried again with the new one", async () => {
    const taskQueueId = newQueue();
    const taskId = await create({ taskQueueId });
    await claim(taskId);
    const before = await create({ taskQueueId, priority: "medium" });
    expect(await change(taskId, "high")).toMatchObject({ state: "running", priority: "high" });
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    await shutDown(taskId);
    expect(await takeAll(taskQueueId)).toEqual([taskId, before]);
  });

  it("is scheduled with it", async () => {
    const taskQueueId = newQueue();
    const dependency = await create();
    const taskId = await create({ taskQueueId, dependencies: [dependency] });
    expect(await change(taskId, "high")).toMatchObject({ state: "unscheduled", runs: [] });
    const rival = await create({ taskQueueId, priority: "medium" });
    await claim(dependency);
    await stack.client.queue.reportCompleted({ taskId: dependency, runId: 0 });
    expect(await takeAll(taskQueueId)).toEqual([taskId, rival]);
  });

  it("may have been tried again: that is no resolution", async () => {
    const taskQueueId = newQueue();
    const taskId = await create({ taskQueueId });
    await claim(taskId);
    await shutDown(taskId);
    const rival = await create({ taskQueueId, priority: "medium" });
    expect((await change(taskId, "highest")).runs).toHaveLength(2);
    expect(await takeAll(taskQueueId)).toEqual([taskId, rival]);
  });

  it("may have got its first run by hand: that is no resolution either", async () => {
    const taskId = await create({ dependencies: [await create()] });
    await stack.client.queue.rerunTask({ taskId });
    expect((await change(taskId, "high")).priority).toBe("high");
  });
});

describe("a priority is not changed", () => {
  /** Why it is refused; nothing may have happened then. */
  const refusal = async (taskId: string, newPriority: Priority): Promise<string> => {
    const before = await eventsOf(taskId);
    const err = await stack.client.queue.changeTaskPriority({ taskId }, { newPriority }).then(
      () => expect.unreachable("it was not refused"),
      (err: ClientError) => err,
    );
    expect(err.code).toBe("RequestConflict");
    expect(await eventsOf(taskId)).toEqual(before);
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
    return err.message;
  };
  const resolved = "cannot be reprioritized: it is already resolved, or was before it was run again.";

  it("of a task that is resolved, in whatever way, be it run again since", async () => {
    const { queue } = stack.client;
    const ends = [
      (taskId: string) => queue.reportCompleted({ taskId, runId: 0 }),
      (taskId: string) => queue.reportFailed({ taskId, runId: 0 }),
      (taskId: string) => queue.reportException({ taskId, runId: 0 }, { reason: "internal-error" }),
      (taskId: string) => queue.cancelTask({ taskId }),
    ];
    for (const end of ends) {
      const taskId = await create();
      await claim(taskId);
      await end(taskId);
      expect(await refusal(taskId, "high")).toContain(resolved);
      expect(await refusal(taskId, "lowest")).toContain(resolved);
      await queue.rerunTask({ taskId });
      expect(await refusal(taskId, "high")).toContain(resolved);
      await claim(taskId, 1);
      expect(await refusal(taskId, "high")).toContain(resolved);
      await shutDown(taskId, 1);
      expect(await refusal(taskId, "high")).toContain(resolved);
    }
  });

  it("of an unscheduled task that was canceled and is run again", async () => {
    const taskId = await create({ dependencies: [await create()] });
    await stack.client.queue.cancelTask({ taskId });
    await stack.client.queue.rerunTask({ taskId });
    expect(await refusal(taskId, "high")).toContain(resolved);
  });

  it("to what it is", async () => {
    expect(await refusal(await create({ priority: "low" }), "low")).toContain(
      'it has the priority "low" already.',
    );
    const taskId = await create();
    await claim(taskId);
    await shutDown(taskId);
    expect(await refusal(taskId, "lowest")).toContain('it has the priority "lowest" already.');
  });

  it("after the deadline", async () => {
    const taskId = await create({ deadline: new Date(clock.now() + 60_000).toISOString() });
    await clock.advance(60_001);
    expect(await refusal(taskId, "high")).toContain(`The deadline of task ${taskId}`);
  });

  it("to one that there is not, of a task that there is not, or by who may not", async () => {
    const taskId = await create();
    const { queue } = stack.client;
    // The types of the client would not let it through.
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
  const createIn = (taskGroupId: string, more: Partial<TaskDefinitionRequest> = {}) =>
    create({ taskGroupId, schedulerId: "s", ...more });

  it("has it changed for all tasks that were never resolved and have another one, and tells it once", async () => {
    const taskGroupId = slugid();
    const taskQueueId = newQueue();
    const over = await createIn(taskGroupId);
    await stack.client.queue.cancelTask({ taskId: over });
    await createIn(taskGroupId, { priority: "high" });
    const late = await createIn(taskGroupId, { deadline: new Date(clock.now() + 60_000).toISOString() });
    await clock.advance(60_001);
    const changed = [
      await createIn(taskGroupId, { taskQueueId, priority: "low" }),
      await createIn(taskGroupId, { taskQueueId, priority: "highest" }),
      await createIn(taskGroupId, { dependencies: [over] }),
    ];
    const rival = await create({ taskQueueId, priority: "very-high" });
    const reply = await changeGroup(taskGroupId, "high");
    const rest = { taskGroupId, schedulerId: "s", newPriority: "high", tasksAffected: 3 };
    expect(reply).toEqual({ ...rest, taskIds: changed.toSorted() });
    expect(await takeAll(taskQueueId)).toEqual([rival, changed[0], changed[1]]);
    expect((await statusOf(over)).priority).toBe("lowest");
    expect((await statusOf(late)).priority).toBe("lowest");
    const events = await queueEvents(stack.database.db, { taskGroupId });
    expect(events.filter(({ kind }) => kind.includes("priority"))).toEqual([
      {
        kind: "task-group-priority-changed",
        routingKey: `primary.${taskGroupId}.s._`,
        routes: [],
        payload: { ...rest, version: 1 },
      },
    ]);
  });

  it("may be large", async () => {
    const taskGroupId = slugid();
    const ids = await Promise.all(Array.from({ length: 450 }, () => createIn(taskGroupId)));
    const reply = await changeGroup(taskGroupId, "medium");
    expect(reply.taskIds).toEqual(ids.toSorted());
    expect(reply.tasksAffected).toBe(450);
    expect(await priorityMismatches(stack.database.db)).toEqual([]);
    expect((await statusOf(ids[449] ?? "")).priority).toBe("medium");
  });

  it("says so again when nothing is left to change, so that a call that broke off can be repeated", async () => {
    const taskGroupId = slugid();
    await createIn(taskGroupId);
    await changeGroup(taskGroupId, "medium");
    expect(await changeGroup(taskGroupId, "medium")).toMatchObject({ tasksAffected: 0, taskIds: [] });
    const told = story(await queueEvents(stack.database.db, { taskGroupId }));
    expect(told.slice(-2)).toEqual(["task-group-priority-changed", "task-group-priority-changed"]);
  });

  it("must be there, and its caller allowed to", async () => {
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
