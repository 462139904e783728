import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { configOf } from "../../../config/index.ts";
import { writeActivity } from "./store/activity.ts";
import { workerHealth } from "./worker-health.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

const config = configOf({}).queue;
const nothingBuffered = { flush: () => Promise.resolve() };

it("reports when a worker last requested work, or how to start one", async () => {
  const { db } = database;
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const check = workerHealth({ db, clock, config, monitor: testMonitor().monitor }, nothingBuffered);
  expect(await check()).toEqual({
    name: "Worker",
    state: "unknown",
    detail: "none seen yet: start one with `taskyard worker`",
  });
  const seen = new Date(clock.now()).toISOString();
  const worker = { taskQueueId: "a/b", workerGroup: "g", workerId: "w", firstSeen: seen, lastSeen: seen };
  await writeActivity(db, [{ taskQueueId: "a/b", lastSeen: seen }], [{ ...worker, recent: [] }], []);
  await clock.advance(12_000);
  expect(await check()).toEqual({ name: "Worker", state: "healthy", detail: "requested work 12 s ago" });
  await clock.advance(50_000);
  const gone = (ago: string) => ({
    name: "Worker",
    state: "unknown",
    detail: `none requested work since ${ago} ago: all are busy or gone; \`taskyard worker\` starts one`,
  });
  expect(await check()).toEqual(gone("62 s"));
  await clock.advance(10 * 60_000);
  expect(await check()).toEqual(gone("11 min"));
  await clock.advance(3 * 3_600_000);
  expect(await check()).toEqual(gone("3 h"));
  // The command that runs the tasks of this queue is no worker.
  const now = new Date(clock.now()).toISOString();
  const taskQueueId = "taskyard/source";
  const command = { ...worker, taskQueueId, firstSeen: now, lastSeen: now, recent: [] };
  await writeActivity(db, [{ taskQueueId, lastSeen: now }], [command], []);
  expect(await check()).toEqual(gone("3 h"));
});

it("reports the state as unknown if it cannot be read", async () => {
  const { monitor, records } = testMonitor();
  const flush = () => Promise.reject(new Error("no connection"));
  const check = workerHealth({ db: database.db, clock: manualClock(), config, monitor }, { flush });
  expect(await check()).toEqual({
    name: "Worker",
    state: "unknown",
    detail: "unknown while the database does not respond",
  });
  expect(records).toMatchObject([{ msg: "cannot read when a worker was last seen" }]);
});
