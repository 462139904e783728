import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { configOf } from "../../../config/index.ts";
import { sql } from "../../../core/sql.ts";
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
  await database.db.run(sql`
    update workers set quarantine_until = ${new Date(clock.now() + 1).toISOString()}::timestamptz
    where worker_id = 'quarantined'`);
  const lastSeen = new Date(clock.now());
  expect(await activityOf("a/b")).toEqual({
    lastSeen,
    workers: 2,
    quarantined: 1,
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
