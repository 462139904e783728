import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
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
  const config = { queue: { loopBatch: 3, claimTimeout: 10 * minute, loopInterval: 86_400_000 } };
  stack = await testStack({ clock, config });
  other = await testStack({ clock, config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

async function round(...names: string[]): Promise<void> {
  for (const name of names) await Promise.all([stack, other].map((one) => one.loopRuns(name)));
}
const at = (ms: number): string => new Date(clock.now() + ms).toISOString();
/** A task that may end and expire within the hour. */
const create = (overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> =>
  createTask(stack.client, { deadline: at(5 * minute), expires: at(5 * minute), ...overrides }, clock.now());
async function complete(taskId: string): Promise<void> {
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  await stack.client.queue.reportCompleted({ taskId, runId: 0 });
}
/** Rows that have to do with a task or a group, by table. */
async function rows(id: string): Promise<string[]> {
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
  it("is removed with all that is its own, half an hour after it expired, and its group an hour later", async () => {
    const required = await create();
    const taskId = await create({ dependencies: [required] });
    await complete(required);
    await complete(taskId);
    await clock.advance(35 * minute);
    await round("task-expiry");
    expect(await rows(required)).toEqual(["tasks", "definitions", "runs", "neededBy", "groups"]);
    await clock.advance(1);
    await round("task-expiry");
    expect([await rows(required), await rows(taskId)]).toEqual([["groups"], ["groups"]]);
    await expect(stack.client.queue.status({ taskId })).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining("it was never created here, or has expired"),
    });
    await clock.advance(hour - 1);
    await round("task-group-expiry");
    expect(await rows(taskId)).toEqual(["groups"]);
    await clock.advance(1);
    await round("task-group-expiry");
    expect(await rows(taskId)).toEqual([]);
  });

  it("may be one of many, which go in batches in both processes", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => create()));
    await Promise.all(ids.map(complete));
    const staying = await create({ expires: at(10 * hour) });
    await clock.advance(2 * hour);
    await round("task-expiry", "task-group-expiry");
    for (const taskId of ids) expect(await rows(taskId)).toEqual([]);
    expect(await isKnown(staying)).toBe(true);
  });

  it("stays until it is resolved: its deadline ends it, so its group learns of it", async () => {
    const pending = await create();
    const running = await create({ taskGroupId: pending });
    await stack.client.queue.claimTask({ taskId: running, runId: 0 }, worker);
    const waiting = await create({ taskGroupId: pending, dependencies: [pending] });
    // With another one they are more than a batch, which keeps nobody back.
    const open = [pending, running, waiting, await create({ taskGroupId: pending })];
    const behind = await create({ expires: at(6 * minute) });
    await complete(behind);
    await clock.advance(2 * hour);
    await round("task-expiry", "task-group-expiry");
    for (const taskId of open) expect(await isKnown(taskId)).toBe(true);
    expect(await isKnown(behind)).toBe(false);
    await round("deadline", "task-expiry", "task-group-expiry");
    for (const taskId of open) expect(await rows(taskId)).toEqual([]);
    const told = story(await queueEvents(stack.database.db, { taskGroupId: pending }));
    expect(told.slice(-5).toSorted()).toEqual([...open.map(() => "task-exception 0"), "task-group-resolved"]);
  });

  it("stays until its artifacts are removed, whose bytes would be lost otherwise, and keeps nobody back", async () => {
    // A whole batch of them.
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
    await round("task-expiry");
    for (const id of others) expect(await rows(id)).toEqual(["groups"]);
    for (const id of withArtifacts)
      expect(await rows(id)).toEqual(["tasks", "definitions", "runs", "artifacts", "groups"]);
    await round("artifact-expiry", "task-expiry");
    for (const id of withArtifacts) expect(await rows(id)).toEqual(["groups"]);
  });

  it("takes its edges with it, and who still waits for it goes on to its own deadline", async () => {
    const required = await create();
    const dependents = await Promise.all(
      Array.from({ length: 8 }, () => create({ dependencies: [required], expires: at(10 * hour) })),
    );
    await stack.client.queue.cancelTask({ taskId: required });
    await clock.advance(36 * minute);
    await round("task-expiry");
    expect(await rows(required)).toEqual(["groups"]);
    for (const taskId of dependents)
      expect((await stack.client.queue.status({ taskId })).status.state).toBe("unscheduled");
    await round("deadline");
    for (const taskId of dependents)
      expect((await stack.client.queue.status({ taskId })).status.runs).toMatchObject([
        { reasonResolved: "deadline-exceeded" },
      ]);
  });

  it("gives its id free", async () => {
    const taskId = await create();
    await complete(taskId);
    await clock.advance(2 * hour);
    await round("task-expiry", "task-group-expiry");
    const { status } = await stack.client.queue.createTask({ taskId }, taskDefinition({}, clock.now()));
    expect(status.state).toBe("pending");
    const unresolved = await stack.database.db.run(sql`
      select from task_groups where task_group_id = ${taskId} and unresolved = 1`);
    expect(unresolved).toBe(1);
  });
});

describe("a task group", () => {
  it("lives on where a task comes in before it is removed", async () => {
    const first = await create();
    await complete(first);
    await clock.advance(2 * hour);
    await round("task-expiry");
    const second = await create({ taskGroupId: first, deadline: at(hour), expires: at(hour) });
    await round("task-group-expiry");
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: first });
    expect(tasks.map(({ status }) => status.taskId)).toEqual([second]);
  });

  it("is removed or used again, whichever is first, and is never without its row", async () => {
    for (let i = 0; i < 6; i++) {
      const taskGroupId = await create();
      await complete(taskGroupId);
      await clock.advance(2 * hour);
      await round("task-expiry");
      const create10 = Array.from({ length: 10 }, () => {
        const taskId = slugid();
        return (i % 2 === 0 ? stack : other).client.queue.createTask(
          { taskId },
          taskDefinition({ taskGroupId }, clock.now()),
        );
      });
      await Promise.all([...create10, round("task-group-expiry")]);
      const counted = await stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskGroupId} and unresolved = 10`);
      expect(counted).toBe(1);
    }
  });
});
