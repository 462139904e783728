// createTasks writes all tasks or none, whatever happens concurrently.
import { beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { untilLockWaits } from "../../../../../test/support/lock-waits.ts";
import type { NewTask } from "../../../../api/queue/graph.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const newTask = (overrides: Partial<TaskDefinitionRequest> = {}): NewTask => ({
  taskId: slugid(),
  task: taskDefinition({ schedulerId: "s", ...overrides }),
});
const create = (tasks: NewTask[]) => stack.client.queue.createTasks({ tasks });
const stateOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.state;

/**
 * Creates a task, and runs `meanwhile` after the call has read everything and before it writes: an open transaction has
 * inserted the same id. Returns a function that returns the call.
 */
async function createHeldUp(task: NewTask, meanwhile: () => Promise<unknown>) {
  const { db } = stack.database;
  let created: ReturnType<typeof create> | undefined;
  const holding = db.tx(async (tx) => {
    await tx.run(sql`insert into task_definitions (task_id, definition) values (${task.taskId}, '{}')`);
    created = create([task]);
    // Awaited later; it may fail before.
    created.catch(() => undefined);
    await untilLockWaits(db);
    await meanwhile();
    throw new Error("rolled back");
  });
  await expect(holding).rejects.toThrow("rolled back");
  return () => created ?? expect.fail("the call was not sent");
}

/** Returns the number of rows of each table. */
async function rowCounts(): Promise<string> {
  const counts: string[] = [];
  for (const table of ["tasks", "runs", "task_groups", "task_dependencies", "task_definitions", "events"])
    counts.push(`${table} ${await stack.database.db.run({ text: `select from ${table}`, values: [] })}`);
  return counts.join(", ");
}

it("a graph is written completely, or not at all if the database fails halfway", async () => {
  const { db } = stack.database;
  const first = newTask();
  const second = newTask({ dependencies: [first.taskId] });
  const before = await rowCounts();
  // Edges are written after the tasks.
  const addConstraint = `alter table task_dependencies add constraint refusing check (dependent <> '${second.taskId}')`;
  await db.run({ text: addConstraint, values: [] });
  await expect(create([first, second])).rejects.toMatchObject({ statusCode: 500 });
  await db.run(sql`alter table task_dependencies drop constraint refusing`);
  expect(await rowCounts()).toBe(before);
  expect(await create([first, second])).toMatchObject({ created: 2, pending: 1 });
});

describe("while tasks are written", () => {
  it("a dependency may resolve, and no task waits forever", async () => {
    for (let iteration = 0; iteration < 8; iteration++) {
      const required = await createTask(stack.client, { taskQueueId: "test/race" });
      await stack.client.queue.claimTask({ taskId: required, runId: 0 }, { workerGroup: "g", workerId: "w" });
      const tasks = Array.from({ length: 30 }, () =>
        newTask({ dependencies: [required], taskQueueId: "test/race" }),
      );
      await Promise.all([create(tasks), stack.client.queue.reportCompleted({ taskId: required, runId: 0 })]);
      for (const { taskId } of tasks) {
        expect(await stateOf(taskId)).toBe("pending");
        expect(summarize(await queueEvents(stack.database.db, { taskId }))).toEqual([
          "task-defined",
          "task-pending 0",
        ]);
      }
    }
  });

  it("a dependency may resolve between reading and writing, and no task waits forever", async () => {
    const required = await createTask(stack.client, { taskQueueId: "test/race" });
    const run = { taskId: required, runId: 0 };
    await stack.client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
    const task = newTask({ dependencies: [required], taskQueueId: "test/race" });
    const created = await createHeldUp(task, () => stack.client.queue.reportCompleted(run));
    expect(await created()).toMatchObject({ created: 1, pending: 0 });
    expect(await stateOf(task.taskId)).toBe("pending");
    expect(summarize(await queueEvents(stack.database.db, { taskId: task.taskId }))).toEqual([
      "task-defined",
      "task-pending 0",
    ]);
  });

  it("the same call and others with the same tasks may be made", async () => {
    const tasks = Array.from({ length: 50 }, () => newTask());
    const replies = await Promise.all([
      create(tasks),
      create(tasks),
      create(tasks.toReversed()),
      stack.client.queue.createTask({ taskId: tasks[7]?.taskId ?? "" }, tasks[7]?.task ?? taskDefinition()),
    ]);
    const counts = replies.flatMap((reply) => ("created" in reply ? [reply.created] : []));
    expect(counts.every((n) => [0, 49, 50].includes(n))).toBe(true);
    for (const { taskId } of tasks)
      expect((await stack.client.queue.status({ taskId })).status.runs).toHaveLength(1);
  });

  it("a group that is sealed between reading and writing receives none of the tasks", async () => {
    const taskGroupId = (await create([newTask()])).taskGroupIds[0] ?? "";
    const task = newTask({ taskGroupId });
    const created = await createHeldUp(task, () => stack.client.queue.sealTaskGroup({ taskGroupId }));
    await expect(created()).rejects.toMatchObject({
      statusCode: 409,
      message: expect.stringContaining(`Task group ${taskGroupId} was sealed at `),
    });
    await expect(stateOf(task.taskId)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("a group may be sealed, and then has all of the tasks or none", async () => {
    const taskGroupId = (await create([newTask()])).taskGroupIds[0] ?? "";
    const tasks = Array.from({ length: 20 }, () => newTask({ taskGroupId }));
    const sealed = stack.database.db.run(sql`
      update task_groups set sealed = '2026-01-01T00:00:00Z' where task_group_id = ${taskGroupId}`);
    const [reply] = await Promise.allSettled([create(tasks), sealed]);
    const { tasks: members } = await stack.client.queue.listTaskGroup({ taskGroupId });
    expect(members).toHaveLength(reply.status === "fulfilled" ? 21 : 1);
  });
});
