import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { newTask } from "../../../../../test/support/factories.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { configOf } from "../../../config/index.ts";
import { sql } from "../../../core/sql.ts";
import { claimOne } from "../claims/store/claim-one.ts";
import { insertTasks } from "../tasks/store/insert-tasks.ts";
import { readLastSeen } from "./store/queue-activity.ts";
import { createWorkerActivity } from "./activity-buffer.ts";
import { queueActivity } from "./queue-activity.ts";

const MINUTE = 60_000;
const clock = manualClock();
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

it("returns when a queue's workers were last seen, how many active ones are quarantined, and the claims", async () => {
  const { monitor } = testMonitor();
  const ctx = { db: database.db, clock, config: configOf({}).queue, monitor };
  const activity = createWorkerActivity(ctx);
  const activityOf = (taskQueueId: string) => queueActivity(ctx, activity, taskQueueId);
  const claim = (workerId: string, ...runs: number[]) =>
    activity.claimed(
      { taskQueueId: "a/b", workerGroup: "g", workerId },
      runs.map((n) => ({ task_id: `task-${n}`, run_id: 0 })),
    );
  const none = { lastSeen: undefined, workers: 0, quarantined: 0, seenWorkers: 0, recentClaims: 0 };
  expect(await activityOf("a/b")).toEqual({ ...none, recentClaimsMs: 10 * MINUTE });
  activity.seen({ taskQueueId: "built-in/succeed", workerGroup: "built-in", workerId: "succeed" });
  await activity.flush();
  expect(await readLastSeen(database.db)).toBeUndefined();

  claim("early", 1, 2);
  await clock.advance(5 * MINUTE + 10_000);
  claim("late", 3);
  claim("quarantined");
  await activity.flush();
  // A silent worker is active as long as it holds a run.
  const busy = { workerGroup: "g", workerId: "early", claimId: null, tasks: 1 };
  const task = newTask({ taskQueueId: "a/b" }, clock.now());
  const at = (ms: number) => new Date(clock.now() + ms).toISOString();
  await insertTasks(database.db, [task], at(0), 0);
  await claimOne(database.db, task.taskId, 0, busy, at(0), at(MINUTE));
  claim("gone");
  await activity.flush();
  await database.db.run(sql`
    update workers set last_date_active = ${at(-5 * MINUTE)}::timestamptz where worker_id = 'gone'`);
  await database.db.run(sql`
    update workers set quarantine_until = ${at(1)}::timestamptz
    where worker_id in ('quarantined', 'early', 'gone')`);
  const lastSeen = new Date(clock.now());
  expect(await activityOf("a/b")).toEqual({
    lastSeen,
    workers: 3,
    quarantined: 2,
    seenWorkers: 2,
    recentClaims: 3,
    recentClaimsMs: 10 * MINUTE + 10_000,
  });
  expect(await readLastSeen(database.db)).toBe(clock.now());
  await clock.advance(6 * MINUTE);
  expect(await activityOf("a/b")).toMatchObject({
    lastSeen,
    workers: 0,
    recentClaims: 1,
  });
  await clock.advance(60 * MINUTE);
  expect(await activityOf("a/b")).toMatchObject({ ...none, lastSeen });
  expect(await activityOf("a/other")).toMatchObject(none);
});
