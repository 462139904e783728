// The SQL functions that build the routing keys of task events, on the hot path, agree with the contract.
import fc from "fast-check";
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { anyText } from "../../../../../test/support/arbitrary-text.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import { events, taskWords } from "./event-rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const { taskGroupResolved: _r, taskGroupSealed: _s, taskGroupPriorityChanged: _p, ...ofTasks } = events;

// Any text without a slash, which separates the two parts of a queue's name, and without NUL, which PostgreSQL cannot store.
const word = anyText({ minLength: 1, maxLength: 12 }).map((text) => text.replaceAll(/[/\0]/g, "x"));
const words = fc.record({
  taskId: word,
  provisionerId: word,
  workerType: word,
  schedulerId: word,
  taskGroupId: word,
  runId: fc.integer({ min: 0, max: 49 }),
  workerGroup: word,
  workerId: word,
});

const Keys = Type.Object({ keys: Type.Array(Type.String()) });
const keysOf = async (...keys: Sql[]): Promise<string[]> => {
  const list = keys.reduce((before, key) => sql`${before}, ${key}`);
  const row = await database.db.maybeOne(Keys, sql`select array[${list}] as keys`);
  return row?.keys ?? [];
};

it("task_key and task_routing_key have the words that the contract declares, in its order", async () => {
  const { taskDefined, taskPending, taskFailed, taskException, taskPriorityChanged } = events;
  await fc.assert(
    fc.asyncProperty(words, fc.boolean(), fc.boolean(), async (all, hasRun, hasWorker) => {
      const { runId, workerGroup, workerId, ...ofTask } = all;
      const { taskId, schedulerId, taskGroupId } = ofTask;
      const taskQueueId = `${ofTask.provisionerId}/${ofTask.workerType}`;
      const ids = {
        task_id: taskId,
        task_queue_id: taskQueueId,
        scheduler_id: schedulerId,
        task_group_id: taskGroupId,
      };
      const task = sql`json_populate_record(null::tasks, ${JSON.stringify(ids)}::json)`;
      const run = sql`${hasRun ? runId : null}::smallint`;
      const worker = sql`${hasWorker ? workerGroup : null}, ${hasWorker ? workerId : null}`;
      const actual = await keysOf(
        sql`task_key(${taskId}, ${taskQueueId}, ${schedulerId}, ${taskGroupId}, ${run}, ${worker})`,
        sql`task_routing_key(${task}, ${run}, ${worker})`,
      );

      const known = { ...(hasRun && { runId }), ...(hasWorker && { workerGroup, workerId }) };
      const declared = [taskDefined, taskFailed, taskException, taskPriorityChanged].map((publisher) =>
        publisher.routingKey({ ...ofTask, ...known }),
      );
      if (hasRun) declared.push(taskPending.routingKey({ ...ofTask, ...known, runId }));
      // The other exchanges always have a run and a worker.
      if (hasRun && hasWorker)
        for (const publisher of Object.values(ofTasks))
          declared.push(
            publisher.routingKey(all),
            publisher.routingKey({ ...all, ...taskWords(sql`(${task})`) }),
          );
      expect(new Set([...actual, ...(await keysOf(...declared))]).size).toBe(1);
    }),
    { numRuns: 60 },
  );
});
