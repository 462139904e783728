import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const minute = 60_000;
const hour = 60 * minute;
const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let other: Stack;
beforeAll(async () => {
  const config = { queue: { loopBatch: 3, claimTimeout: 10 * minute } };
  stack = await testStack({ clock, manualLoops: true, config });
  other = await testStack({ clock, manualLoops: true, config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

async function runLoops(...names: string[]): Promise<void> {
  for (const name of names) await Promise.all([stack, other].map((one) => one.runLoop(name)));
}
const at = (ms: number): string => new Date(clock.now() + ms).toISOString();
/** Creates a task whose deadline and expiry are within the hour. */
const create = (overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> =>
  createTask(stack.client, { deadline: at(5 * minute), expires: at(5 * minute), ...overrides }, clock.now());
async function complete(taskId: string): Promise<void> {
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  await stack.client.queue.reportCompleted({ taskId, runId: 0 });
}
/** Returns the tables that have rows of a task or a group. */
async function tablesWith(id: string): Promise<string[]> {
  const { db } = stack.database;
  const counts = {
    tasks: await db.run(sql`select from tasks where task_id = ${id}`),
    definitions: await db.run(sql`select from task_definitions where task_id = ${id}`),
    runs: await db.run(sql`select from runs where task_id = ${id}`),
    needs: await db.run(sql`select from task_dependencies where dependent = ${id}`),
    neededBy: await db.run(sql`select from task_dependencies where required = ${id}`),
    artifacts: await db.run(sql`select from artifacts where task_id = ${id}`),
    groups: await db.run(sql`select from task_groups where task_group_id = ${id}`),
  };
  return Object.entries(counts).flatMap(([table, n]) => (n > 0 ? [table] : []));
}
const isKnown = (taskId: string): Promise<boolean> =>
  stack.client.queue.status({ taskId }).then(
    () => true,
    () => false,
  );

describe("an expired task", () => {
  it("is removed with all its rows half an hour after its expiry, and its group an hour later", async () => {
    const required = await create();
    const taskId = await create({ dependencies: [required] });
    await complete(required);
    await complete(taskId);
    await clock.advance(35 * minute);
    await runLoops("task-expiry");
    expect(await tablesWith(required)).toEqual(["tasks", "definitions", "runs", "neededBy", "groups"]);
    await clock.advance(1);
    await runLoops("task-expiry");
    expect([await tablesWith(required), await tablesWith(taskId)]).toEqual([["groups"], ["groups"]]);
    await expect(stack.client.queue.status({ taskId })).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining("it was never created here, or has expired"),
    });
    await clock.advance(hour - 1);
    await runLoops("task-group-expiry");
    expect(await tablesWith(taskId)).toEqual(["groups"]);
    await clock.advance(1);
    await runLoops("task-group-expiry");
    expect(await tablesWith(taskId)).toEqual([]);
  });

  it("is removed together with many others, in batches in both processes", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => create()));
    await Promise.all(ids.map(complete));
    const unexpired = await create({ expires: at(10 * hour) });
    await clock.advance(2 * hour);
    await runLoops("task-expiry", "task-group-expiry");
    for (const taskId of ids) expect(await tablesWith(taskId)).toEqual([]);
    expect(await isKnown(unexpired)).toBe(true);
  });

  it("is kept until its deadline resolves it, so that its group is resolved too", async () => {
    const pending = await create();
    const running = await create({ taskGroupId: pending });
    await stack.client.queue.claimTask({ taskId: running, runId: 0 }, worker);
    const waiting = await create({ taskGroupId: pending, dependencies: [pending] });
    // With another one they exceed a batch, which must not block others.
    const unresolved = [pending, running, waiting, await create({ taskGroupId: pending })];
    const resolvedLater = await create({ expires: at(6 * minute) });
    await complete(resolvedLater);
    await clock.advance(2 * hour);
    await runLoops("task-expiry", "task-group-expiry");
    for (const taskId of unresolved) expect(await isKnown(taskId)).toBe(true);
    expect(await isKnown(resolvedLater)).toBe(false);
    await runLoops("deadline", "task-expiry", "task-group-expiry");
    for (const taskId of unresolved) expect(await tablesWith(taskId)).toEqual([]);
    const events = summarize(await queueEvents(stack.database.db, { taskGroupId: pending }));
    expect(events.slice(-5).toSorted()).toEqual([
      ...unresolved.map(() => "task-exception 0"),
      "task-group-resolved",
    ]);
  });

  it("is kept until its artifacts are removed, since their bytes would leak otherwise, and does not block others", async () => {
    // A full batch.
    const withArtifacts = await Promise.all(Array.from({ length: 3 }, () => create()));
    for (const taskId of withArtifacts) {
      await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
      await stack.client.queue.createArtifact(
        { taskId, runId: 0, name: "public/a" },
        {
          storageType: "reference",
          expires: at(5 * minute),
          contentType: "text/plain",
          url: "https://a.example/",
        },
      );
      await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    }
    const expires = at(6 * minute);
    const others = await Promise.all(Array.from({ length: 5 }, () => create({ expires })));
    await Promise.all(others.map(complete));
    await clock.advance(37 * minute);
    await runLoops("task-expiry");
    for (const id of others) expect(await tablesWith(id)).toEqual(["groups"]);
    for (const id of withArtifacts)
      expect(await tablesWith(id)).toEqual(["tasks", "definitions", "runs", "artifacts", "groups"]);
    await runLoops("artifact-expiry", "task-expiry");
    for (const id of withArtifacts) expect(await tablesWith(id)).toEqual(["groups"]);
  });

  it("is removed with its edges; tasks that still depend on it wait until their own deadline", async () => {
    const required = await create();
    const dependents = await Promise.all(
      Array.from({ length: 8 }, () => create({ dependencies: [required], expires: at(10 * hour) })),
    );
    await stack.client.queue.cancelTask({ taskId: required });
    await clock.advance(36 * minute);
    await runLoops("task-expiry");
    expect(await tablesWith(required)).toEqual(["groups"]);
    for (const taskId of dependents)
      expect((await stack.client.queue.status({ taskId })).status.state).toBe("unscheduled");
    await runLoops("deadline");
    for (const taskId of dependents)
      expect((await stack.client.queue.status({ taskId })).status.runs).toMatchObject([
        { reasonResolved: "deadline-exceeded" },
      ]);
  });

  it("frees its id", async () => {
    const taskId = await create();
    await complete(taskId);
    await clock.advance(2 * hour);
    await runLoops("task-expiry", "task-group-expiry");
    const { status } = await stack.client.queue.createTask({ taskId }, taskDefinition({}, clock.now()));
    expect(status.state).toBe("pending");
    const newGroups = await stack.database.db.run(sql`
      select from task_groups where task_group_id = ${taskId} and unresolved = 1`);
    expect(newGroups).toBe(1);
  });
});

describe("a task group", () => {
  it("is kept if a task is added before it is removed", async () => {
    const first = await create();
    await complete(first);
    await clock.advance(2 * hour);
    await runLoops("task-expiry");
    const second = await create({ taskGroupId: first, deadline: at(hour), expires: at(hour) });
    await runLoops("task-group-expiry");
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: first });
    expect(tasks.map(({ status }) => status.taskId)).toEqual([second]);
  });

  it("has its row after tasks are added concurrently with its removal", async () => {
    for (let i = 0; i < 6; i++) {
      const taskGroupId = await create();
      await complete(taskGroupId);
      await clock.advance(2 * hour);
      await runLoops("task-expiry");
      const calls = Array.from({ length: 10 }, () => {
        const taskId = slugid();
        return (i % 2 === 0 ? stack : other).client.queue.createTask(
          { taskId },
          taskDefinition({ taskGroupId }, clock.now()),
        );
      });
      await Promise.all([...calls, runLoops("task-group-expiry")]);
      const matchingGroups = await stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskGroupId} and unresolved = 10`);
      expect(matchingGroups).toBe(1);
    }
  });
});
