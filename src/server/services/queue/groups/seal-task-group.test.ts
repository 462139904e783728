// Sealing a group: no task is added afterwards, also by concurrent calls.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";

const clock = manualClock();
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

const seal = (taskGroupId: string, by: Stack = stack) => by.client.queue.sealTaskGroup({ taskGroupId });
const add = (taskGroupId: string, overrides: object = {}) =>
  createTask(stack.client, { taskGroupId, schedulerId: "s", ...overrides }, clock.now());

describe("a sealed group", () => {
  it("has the time of its first seal; every seal publishes an event", async () => {
    const taskGroupId = slugid();
    await add(taskGroupId);
    const group = await stack.client.queue.getTaskGroup({ taskGroupId });
    expect(group).not.toHaveProperty("sealed");
    const sealed = new Date(clock.now()).toISOString();
    expect(await seal(taskGroupId)).toEqual({ ...group, sealed });
    await clock.advance(1_000);
    expect(await seal(taskGroupId)).toEqual({ ...group, sealed });
    expect(await stack.client.queue.getTaskGroup({ taskGroupId })).toEqual({ ...group, sealed });
    expect(await stack.client.queue.listTaskGroup({ taskGroupId })).toMatchObject({ ...group, sealed });
    const events = (await queueEvents(stack.database.db, { taskGroupId })).slice(-2);
    expect(events).toEqual(
      [1, 2].map(() => ({
        kind: "task-group-sealed",
        routingKey: `primary.${taskGroupId}.s._`,
        routes: [],
        payload: { ...group, sealed, version: 1 },
      })),
    );
  });

  it("accepts no more tasks, not even a repeated one", async () => {
    const taskGroupId = slugid();
    const taskId = slugid();
    const definition = { ...taskDefinition({}, clock.now()), taskGroupId };
    await stack.client.queue.createTask({ taskId }, definition);
    const { sealed } = await seal(taskGroupId);
    for (const id of [slugid(), taskId])
      await expect(stack.client.queue.createTask({ taskId: id }, definition)).rejects.toMatchObject({
        code: "RequestConflict",
        message: expect.stringContaining(`was sealed at ${sealed}: no task can be added to it.`),
      });
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
    expect(tasks.map(({ status }) => status.taskId)).toEqual([taskId]);
  });

  it("is resolved with its tasks, and again after a rerun", async () => {
    const taskGroupId = slugid();
    const taskId = await add(taskGroupId);
    const dependent = await add(taskGroupId, { dependencies: [taskId], requires: "all-resolved" });
    const { sealed } = await seal(taskGroupId);
    for (const id of [taskId, dependent]) await stack.client.queue.cancelTask({ taskId: id });
    await stack.client.queue.rerunTask({ taskId: dependent });
    await stack.client.queue.cancelTask({ taskId: dependent });
    const events = await queueEvents(stack.database.db, { taskGroupId });
    const resolved = events.filter(({ kind }) => kind === "task-group-resolved");
    expect(resolved.map(({ payload }) => payload)).toMatchObject([
      { taskGroupId, sealed },
      { taskGroupId, sealed },
    ]);
  });

  it("requires an existing group, and the scope of that group", async () => {
    const taskGroupId = slugid();
    await expect(seal(taskGroupId)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: `Task group ${taskGroupId} does not exist: no task was created in it, or it has expired. Check the id and the root URL.`,
    });
    await add(taskGroupId);
    for (const scope of [`queue:seal-task-group:-/${taskGroupId}`, "queue:seal-task-group:s"])
      await expect(stack.limited([scope]).queue.sealTaskGroup({ taskGroupId })).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(`queue:seal-task-group:s/${taskGroupId}`),
      });
    expect(await stack.client.queue.getTaskGroup({ taskGroupId })).not.toHaveProperty("sealed");
    const { queue } = stack.limited([`queue:seal-task-group:s/${taskGroupId}`]);
    expect(await queue.sealTaskGroup({ taskGroupId })).toHaveProperty("sealed");
  });
});

describe("concurrently", () => {
  it("several seals return the same time", async () => {
    const taskGroupId = slugid();
    await add(taskGroupId);
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) => seal(taskGroupId, i % 2 === 0 ? stack : other)),
    );
    expect(new Set(replies.map(({ sealed }) => sealed)).size).toBe(1);
    const events = summarize(await queueEvents(stack.database.db, { taskGroupId }));
    expect(events.filter((kind) => kind === "task-group-sealed")).toHaveLength(8);
  });

  it("a task is created before the seal or refused: none is published after the group's seal", async () => {
    let [createdCount, refusedCount] = [0, 0];
    for (let iteration = 0; iteration < 24; iteration++) {
      const taskGroupId = slugid();
      const first = await createTask(stack.client, { taskGroupId }, clock.now());
      const create = async (i: number): Promise<boolean> => {
        const by = i % 2 === 0 ? stack : other;
        const dependencies = i % 3 === 0 ? [first] : [];
        const definition = taskDefinition({ taskGroupId, dependencies }, clock.now());
        try {
          await by.client.queue.createTask({ taskId: slugid() }, definition);
          return true;
        } catch (err) {
          expect(err).toMatchObject({ code: "RequestConflict" });
          return false;
        }
      };
      // The seal is sent at a different point each time; some tasks are sent a little after it.
      const early = Array.from({ length: iteration % 6 }, (_, i) => create(i));
      const [sealed, ...late] = await Promise.all([
        seal(taskGroupId, iteration % 2 === 0 ? stack : other),
        ...Array.from({ length: 6 }, async (_, i) => {
          for (let tick = 0; tick < i + (iteration % 4) * 3; tick++) await new Promise(setImmediate);
          return create(i);
        }),
      ]);
      const created = [...(await Promise.all(early)), ...late];
      createdCount += created.filter(Boolean).length;
      refusedCount += created.filter((wasCreated) => !wasCreated).length;
      expect(sealed).toHaveProperty("sealed");
      const events = summarize(await queueEvents(stack.database.db, { taskGroupId }));
      expect(events.filter((kind) => kind === "task-defined")).toHaveLength(
        created.filter(Boolean).length + 1,
      );
      expect(events.lastIndexOf("task-defined")).toBeLessThan(events.indexOf("task-group-sealed"));
      const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
      expect(tasks).toHaveLength(created.filter(Boolean).length + 1);
    }
    // Otherwise the test would not have covered both cases.
    expect(Math.min(createdCount, refusedCount)).toBeGreaterThan(0);
  });
});
