// Tasks that wait for others: when they become pending, and that none of them waits for ever.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimOne, createTask, taskDefinition } from "../../../test/support/factories.ts";
import { queueEvents, story } from "../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import { until } from "../../../test/support/until.ts";
import { slugid } from "../../lib/slugid.ts";
import { sql } from "../core/sql.ts";
import { defineTask } from "./define-task.ts";
import { insertTasks, lockRequired } from "./store/create.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

const stateOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.state;
const complete = (taskId: string) => stack.client.queue.reportCompleted({ taskId, runId: 0 });

/** Creates a task and claims it. */
async function running(
  taskQueueId = `test/q-${slugid()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")}`,
): Promise<string> {
  const taskId = await createTask(stack.client, { taskQueueId });
  await claimOne(stack.client, taskQueueId);
  return taskId;
}

/** Resolves when some statement waits for a lock. */
const somebodyWaits = () =>
  until("a statement that waits for a lock", async () => {
    const waiting = await stack.database.db.run(sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return waiting > 0;
  });

describe("a dependent that is written while its dependency resolves", () => {
  it("is pending in the end, though the report came before it was committed", async () => {
    const required = await running();
    const taskId = slugid();
    const now = Date.now();
    const rules = { now, toleranceMs: 1000, maxDeadlineMs: 1e9 };
    const task = defineTask(taskId, taskDefinition({ dependencies: [required] }), rules);
    let report: Promise<unknown> = Promise.resolve();
    await stack.database.db.tx(async (tx) => {
      await lockRequired(tx, [required]);
      report = complete(required);
      await somebodyWaits();
      await insertTasks(tx, [task], new Date(now).toISOString(), 0);
    });
    await report;
    expect(await stateOf(taskId)).toBe("pending");
    expect(story(await queueEvents(stack.database.db, { taskId }))).toEqual([
      "task-defined",
      "task-pending 0",
    ]);
  });

  it("is pending in the end, whoever was first", async () => {
    const taskQueueId = "test/whoever";
    for (let round = 0; round < 100; round++) {
      const required = await running(taskQueueId);
      const created = createTask(stack.client, { dependencies: [required] });
      const [taskId] = await Promise.all([created, complete(required)]);
      expect(await stateOf(taskId)).toBe("pending");
    }
  });
});
