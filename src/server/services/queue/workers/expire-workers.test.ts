import Type from "typebox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { configOf } from "../../../config/index.ts";
import { sql } from "../../../core/sql.ts";
import { timestamp } from "../../../core/timestamp.ts";
import { expireWorkers } from "./expire-workers.ts";

const MINUTE = 60_000;
const DELAY = 30 * MINUTE;
let database: TestDatabase;
let clock: ManualClock;
beforeEach(async () => {
  database = await testDatabase();
  clock = manualClock();
});
afterEach(() => database.drop());

const runOnce = (loopBatch = 100) =>
  expireWorkers({ db: database.db, clock, config: configOf({ queue: { loopBatch } }).queue })();
const inMs = (ms: number) => timestamp({ clock }, ms);
const worker = (id: string, expires: number, quarantineUntil = -1) =>
  database.db.run(sql`
    insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
    values ('a/b', 'g', ${id}, now(), ${inMs(expires)}::timestamptz, ${inMs(quarantineUntil)}::timestamptz)`);
const Name = Type.Object({ name: Type.String() });
const names = async (query: ReturnType<typeof sql>) =>
  (await database.db.many(Name, query)).map(({ name }) => name);
const workers = () => names(sql`select worker_id as name from workers order by 1`);

describe("workers", () => {
  it("are removed half an hour after they expired, unless they are in quarantine", async () => {
    await worker("first", 0);
    await worker("second", MINUTE);
    await worker("quarantined", 0, 10 * MINUTE);
    await clock.advance(DELAY);
    expect(await runOnce()).toEqual({ more: false });
    expect(await workers()).toEqual(["first", "quarantined", "second"]);
    await clock.advance(1);
    await runOnce();
    expect(await workers()).toEqual(["quarantined", "second"]);
    await clock.advance(5 * MINUTE);
    await runOnce();
    expect(await workers()).toEqual(["quarantined"]);
    await clock.advance(5 * MINUTE);
    await runOnce();
    expect(await workers()).toEqual([]);
  });

  it("are removed in batches, also by several processes concurrently", async () => {
    for (let n = 0; n < 25; n++) await worker(`w${n}`, n);
    await clock.advance(DELAY + MINUTE);
    expect(await runOnce(10)).toEqual({ more: true });
    expect(await workers()).toHaveLength(15);
    await Promise.all([runOnce(10), runOnce(10), runOnce(10)]);
    await runOnce(10);
    expect(await workers()).toEqual([]);
    expect(await runOnce(10)).toEqual({ more: false });
  });

  it("that are seen at that moment are kept", async () => {
    await worker("w", 0);
    await clock.advance(DELAY + 1);
    await database.db.tx(async (tx) => {
      await tx.run(sql`update workers set expires = ${inMs(MINUTE)}::timestamptz`);
      // The row is locked by an update, so this run skips it.
      expect(await runOnce()).toEqual({ more: false });
    });
    await runOnce();
    expect(await workers()).toEqual(["w"]);
  });
});

describe("task queues and counts of claims", () => {
  it("are removed half an hour after they expired, and after an hour", async () => {
    const queue = (id: string, expires: number) =>
      database.db.run(sql`
        insert into task_queues (task_queue_id, last_date_active, expires)
        values (${id}, now(), ${inMs(expires)}::timestamptz)`);
    const claims = (minutesAgo: number) =>
      database.db.run(sql`
        insert into task_queue_claims (task_queue_id, minute, claims)
        values ('a/b', ${inMs(-minutesAgo * MINUTE)}::timestamptz, ${minutesAgo})`);
    await queue("q/first", 0);
    await queue("q/second", MINUTE);
    for (const minutesAgo of [0, 30, 31]) await claims(minutesAgo);
    await clock.advance(DELAY + 1);
    await runOnce();
    expect(await names(sql`select task_queue_id as name from task_queues`)).toEqual(["q/second"]);
    expect(await names(sql`select claims::text as name from task_queue_claims order by 1`)).toEqual(["0"]);
  });
});
