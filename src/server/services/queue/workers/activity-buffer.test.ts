// The worker activity buffer on a real database, with a clock that moves only when a test advances it: rows are written
// by a flush or by the timer.
import Type from "typebox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { until } from "../../../../../test/support/until.ts";
import { configOf } from "../../../config/index.ts";
import { Timestamp } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { createWorkerActivity } from "./activity-buffer.ts";

const SECOND = 1000;
const DAY = 86_400_000;
let database: TestDatabase;
let clock: ManualClock;
let records: ReturnType<typeof testMonitor>["records"];
let newBuffer: () => ReturnType<typeof createWorkerActivity>;
beforeEach(async () => {
  database = await testDatabase();
  clock = manualClock();
  const { monitor, records: logged } = testMonitor();
  records = logged;
  const context = { db: database.db, clock, config: configOf({}).queue, monitor };
  newBuffer = () => createWorkerActivity(context);
});
afterEach(() => database.drop());

const worker = { taskQueueId: "a/b", workerGroup: "g", workerId: "w" };
const run = (n: number) => ({ task_id: `task-${n}`, run_id: n });

const WorkerRow = Type.Object({
  worker_id: Type.String(),
  first_claim: Timestamp,
  last_date_active: Timestamp,
  expires: Timestamp,
  recent_tasks: Type.Array(Type.String()),
});
const workers = () =>
  database.db.many(
    WorkerRow,
    sql`select worker_id, first_claim, last_date_active, expires, recent_tasks from workers order by worker_id`,
  );
const ClaimsRow = Type.Object({ task_queue_id: Type.String(), minute: Timestamp, claims: Type.Integer() });
const claims = async () =>
  (
    await database.db.many(
      ClaimsRow,
      sql`select task_queue_id, minute, claims from task_queue_claims order by task_queue_id, minute`,
    )
  ).map((row) => [row.task_queue_id, row.minute.toISOString(), row.claims]);
const at = (ms: number): Date => new Date(clock.now() + ms);

describe("worker activity", () => {
  it("is written in one batch after a second, and only if there is any", async () => {
    const activity = newBuffer();
    activity.seen(worker);
    activity.claimed({ ...worker, workerId: "other" }, [run(1), run(2)]);
    const start = at(0);
    await clock.advance(SECOND - 1);
    expect(await workers()).toEqual([]);
    await clock.advance(1);
    await until("a row", async () => (await workers()).length === 2);
    const expected = {
      first_claim: start,
      last_date_active: start,
      expires: new Date(start.getTime() + DAY),
    };
    expect(await workers()).toEqual([
      { worker_id: "other", ...expected, recent_tasks: ["task-1/1", "task-2/2"] },
      { worker_id: "w", ...expected, recent_tasks: [] },
    ]);
    expect(await claims()).toEqual([["a/b", start.toISOString(), 2]]);
    await activity.flush();
    expect(clock.pending()).toBe(0);
  });

  it("updates when a worker was last seen, never when first, and its expiry in steps", async () => {
    const activity = newBuffer();
    const start = at(0);
    for (const [minutes, expires] of [
      [0, 0],
      [30, 0],
      [31, 31],
      [40, 31],
    ] as const) {
      clock.setNow(start.getTime() + minutes * 60 * SECOND);
      activity.seen(worker);
      await activity.flush();
      expect(await workers()).toEqual([
        {
          worker_id: "w",
          first_claim: start,
          last_date_active: at(0),
          expires: new Date(start.getTime() + DAY + expires * 60 * SECOND),
          recent_tasks: [],
        },
      ]);
    }
  });

  it("keeps the last twenty tasks of a worker, across batches", async () => {
    const activity = newBuffer();
    const runs = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => run(from + i));
    const names = (from: number, to: number) => runs(from, to).map((r) => `${r.task_id}/${r.run_id}`);
    const recent = async () => (await workers())[0]?.recent_tasks;
    activity.claimed(worker, runs(0, 15));
    activity.claimed(worker, runs(15, 25));
    await activity.flush();
    expect(await recent()).toEqual(names(5, 25));
    activity.claimed(worker, runs(25, 28));
    await activity.flush();
    expect(await recent()).toEqual(names(8, 28));
    activity.claimed(worker, runs(28, 60));
    await activity.flush();
    expect(await recent()).toEqual(names(40, 60));
    activity.seen(worker);
    await activity.flush();
    expect(await recent()).toEqual(names(40, 60));
  });

  it("counts claims per minute", async () => {
    const activity = newBuffer();
    const start = Math.floor(clock.now() / 60_000) * 60_000;
    clock.setNow(start + 59_999);
    activity.claimed(worker, [run(1)]);
    clock.setNow(start + 60_000);
    activity.claimed(worker, [run(2)]);
    await activity.flush();
    activity.claimed({ ...worker, workerId: "x" }, [run(3)]);
    await activity.flush();
    expect(await claims()).toEqual([
      ["a/b", new Date(start).toISOString(), 1],
      ["a/b", new Date(start + 60_000).toISOString(), 2],
    ]);
  });

  it("of several processes is added up, without deadlock or loss", async () => {
    const buffers = [newBuffer(), newBuffer(), newBuffer()];
    for (let iteration = 0; iteration < 20; iteration++) {
      for (const [l, activity] of buffers.entries())
        for (let n = 0; n < 40; n++)
          // In a different order for each buffer.
          activity.claimed({ ...worker, workerId: `w${(n * (7 + 4 * l)) % 40}` }, [run(iteration)]);
      await Promise.all(buffers.map((activity) => activity.flush()));
    }
    expect(records).toEqual([]);
    expect(await claims()).toEqual([["a/b", at(0).toISOString(), 2400]]);
    const rows = await workers();
    expect(rows).toHaveLength(40);
    for (const row of rows) expect(row.recent_tasks).toHaveLength(20);
  });

  it("is kept while it cannot be written, which is logged, and written afterwards", async () => {
    const activity = newBuffer();
    await database.db.run(sql`alter table workers rename to workers_away`);
    activity.claimed(worker, [run(1)]);
    await activity.flush();
    expect(records).toMatchObject([
      { level: "error", unwritten: 1, msg: expect.stringContaining("workers") },
    ]);
    activity.claimed(worker, [run(2)]);
    activity.seen({ ...worker, workerId: "x" });
    await database.db.run(sql`alter table workers_away rename to workers`);
    await clock.advance(2 * SECOND);
    await until("a row", async () => (await workers()).length === 2);
    expect(await workers()).toMatchObject([
      { worker_id: "w", recent_tasks: ["task-1/1", "task-2/2"] },
      { worker_id: "x" },
    ]);
    expect(await claims()).toEqual([["a/b", at(-2 * SECOND).toISOString(), 2]]);
  });

  it("that arrives during a write is written with the next", async () => {
    const activity = newBuffer();
    activity.seen(worker);
    const first = activity.flush();
    activity.seen({ ...worker, workerId: "x" });
    await Promise.all([first, activity.flush(), activity.flush()]);
    expect((await workers()).map((row) => row.worker_id)).toEqual(["w", "x"]);
  });

  it("has an upper bound; workers beyond it are written when they are seen again", async () => {
    const activity = newBuffer();
    for (let n = 0; n < 20_001; n++) activity.seen({ ...worker, workerId: `w${n}` });
    await activity.flush();
    expect(await database.db.run(sql`select from workers`)).toBe(20_000);
    activity.seen({ ...worker, workerId: "w20000" });
    await activity.flush();
    expect(await database.db.run(sql`select from workers`)).toBe(20_001);
  });
});
