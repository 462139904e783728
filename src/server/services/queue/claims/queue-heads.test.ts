// Queue heads: where claims start reading. The head moves forward, and no pending run stays behind it for long.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { newTask } from "../../../../../test/support/factories.ts";
import { sql } from "../../../core/sql.ts";
import { createWakeUps } from "../../../core/wake-ups.ts";
import { timestamp } from "../../../core/timestamp.ts";
import { reorderedTopic } from "../sql/wakes.ts";
import { createQueueHeads, type QueueHeads } from "./queue-heads.ts";
import { claimPending, QUEUE_START } from "./store/claim-pending.ts";
import { insertTasks } from "../tasks/store/insert-tasks.ts";

const clock = manualClock();
const queueId = "test/queue";
const LAG = 2000;
let database: TestDatabase;
const wakeUps = createWakeUps();
let heads: QueueHeads;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(() => {
  heads = createQueueHeads({ clock, wakeUps });
});
afterAll(() => database.drop());

async function addTasks(count: number, priority: "low" | "lowest" = "lowest"): Promise<string[]> {
  const tasks = Array.from({ length: count }, () => newTask({ taskQueueId: queueId, priority }, clock.now()));
  await insertTasks(database.db, tasks, timestamp({ clock }), 0);
  return tasks.map((task) => task.taskId);
}

/** Claims as the dispatcher does. Returns the tasks, and the position from which it read priority `lowest`. */
async function claim(tasks: number): Promise<{ ids: string[]; from: number }> {
  const from = heads.from(queueId);
  const claimer = { workerGroup: "g", workerId: "w", claimId: null, tasks };
  const [at, until] = [timestamp({ clock }), timestamp({ clock }, 1e6)];
  const { runs } = await claimPending(database.db, queueId, [claimer], from, at, until);
  heads.recordClaimed(queueId, runs, { from, ms: 0 });
  return { ids: runs.map((run) => run.task_id), from: from.at(-1)?.seq ?? NaN };
}

/** Claims until the head of the queue has moved past everything claimed so far. */
async function moveHead(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await clock.advance(LAG);
    await claim(1);
  }
}

it("starts at the first run, and moves forward once claims are some seconds old", async () => {
  const ids = await addTasks(4);
  expect(await claim(2)).toEqual({ ids: ids.slice(0, 2), from: 0 });
  expect(await claim(1)).toEqual({ ids: ids.slice(2, 3), from: 0 });
  await moveHead();
  const added = await addTasks(2);
  const { ids: next, from } = await claim(2);
  expect(next).toEqual(added);
  expect(from).toBeGreaterThan(0);
});

it("is determined from scratch repeatedly, so that a run committed late is found", async () => {
  const early = await addTasks(1);
  // As if its transaction had not committed yet.
  await database.db.run(sql`update runs set state = 'exception' where task_id = ${early[0]}`);
  await addTasks(2);
  await claim(2);
  await moveHead();
  await database.db.run(sql`update runs set state = 'pending' where task_id = ${early[0]}`);
  expect((await claim(1)).ids).toEqual([]);
  await clock.advance(LAG);
  expect((await claim(1)).ids).toEqual(early);
});

it("reads the whole queue less often if that takes long", async () => {
  heads.recordClaimed(queueId, [], { from: QUEUE_START, ms: 400 });
  await clock.advance(19_999);
  expect(heads.from(queueId)).not.toBe(QUEUE_START);
  await clock.advance(1);
  expect(heads.from(queueId)).toBe(QUEUE_START);
});

it("is reset when runs are reordered", async () => {
  let notifications = 0;
  const unsubscribe = heads.onReordered(() => notifications++);
  await addTasks(1);
  await claim(1);
  await moveHead();
  expect(heads.from(queueId)).not.toBe(QUEUE_START);
  wakeUps.wake(reorderedTopic);
  await clock.advance(0);
  expect(notifications).toBe(1);
  expect(heads.from(queueId)).toBe(QUEUE_START);
  unsubscribe();
});

it("has a position for each priority", async () => {
  const low = await addTasks(1, "low");
  const lowest = await addTasks(1, "lowest");
  expect((await claim(2)).ids).toEqual([...low, ...lowest]);
  await moveHead();
  const addedLowest = await addTasks(1, "lowest");
  const addedLow = await addTasks(1, "low");
  expect((await claim(2)).ids).toEqual([...addedLow, ...addedLowest]);
});
