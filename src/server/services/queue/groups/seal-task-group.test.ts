// Sealing a group: nothing is added to it afterwards, whoever tries at the same moment.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
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
const add = (taskGroupId: string, more: object = {}) =>
  createTask(stack.client, { taskGroupId, schedulerId: "s", ...more }, clock.now());

describe("a group that is sealed", () => {
  it("says since when, also when it is sealed again, and tells it each time", async () => {
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

  it("takes no task any more, not even one that it has", async () => {
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

  it("goes on as before, and is resolved with its tasks, again after a rerun", async () => {
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

  it("is found only where there is one, and by who may", async () => {
    const taskGroupId = slugid();
    await expect(seal(taskGroupId)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: `Task group ${taskGroupId} does not exist: no task was created in it, or it has expired.`,
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

describe("at the same time", () => {
  it("several seals are one: all answer the same time", async () => {
    const taskGroupId = slugid();
    await add(taskGroupId);
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) => seal(taskGroupId, i % 2 === 0 ? stack : other)),
    );
    expect(new Set(replies.map(({ sealed }) => sealed)).size).toBe(1);
    const events = story(await queueEvents(stack.database.db, { taskGroupId }));
    expect(events.filter((kind) => kind === "task-group-sealed")).toHaveLength(8);
  });

  it("a task is in before, or refused: none comes after the event that says the group is sealed", async () => {
    let [taken, refused] = [0, 0];
    for (let round = 0; round < 24; round++) {
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
      // The seal comes at another place each time, and some come a little later than it.
      const early = Array.from({ length: round % 6 }, (_, i) => create(i));
      const [sealed, ...late] = await Promise.all([
        seal(taskGroupId, round % 2 === 0 ? stack : other),
        ...Array.from({ length: 6 }, async (_, i) => {
          for (let turn = 0; turn < i + (round % 4) * 3; turn++) await new Promise(setImmediate);
          return create(i);
        }),
      ]);
      const created = [...(await Promise.all(early)), ...late];
      taken += created.filter(Boolean).length;
      refused += created.filter((is) => !is).length;
      expect(sealed).toHaveProperty("sealed");
      const events = story(await queueEvents(stack.database.db, { taskGroupId }));
      expect(events.filter((kind) => kind === "task-defined")).toHaveLength(
        created.filter(Boolean).length + 1,
      );
      expect(events.lastIndexOf("task-defined")).toBeLessThan(events.indexOf("task-group-sealed"));
      const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId });
      expect(tasks).toHaveLength(created.filter(Boolean).length + 1);
    }
    // Else this proved nothing.
    expect(Math.min(taken, refused)).toBeGreaterThan(0);
  });
});
