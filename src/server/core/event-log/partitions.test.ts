import Type from "typebox";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { eventWriter } from "../../../../test/support/event-writer.ts";
import { sql } from "../sql.ts";
import { positionAt, positionNow, positionStart, readEvents } from "./read.ts";
import { appendEvents, keepPartitions } from "./store.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database.drop());

const day = 86_400_000;
const at = (offsetDays: number): Date => new Date(Date.UTC(2026, 4, 10, 12) + offsetDays * day);
const keep = (now: Date): ReturnType<typeof keepPartitions> =>
  keepPartitions(database.db, { daysAhead: 2, retentionMs: 3 * day, now });

/** Inserts an event recorded at that time. */
const appendAt = (time: Date, payload: string): Promise<number> =>
  database.db.run(sql`
    insert into events (recorded, exchange, routing_key, payload) values (${time}, 'x', 'k', ${payload})`);

const Row = Type.Object({ payload: Type.String(), partition: Type.String() });
const rows = (): Promise<{ payload: string; partition: string }[]> =>
  database.db.many(Row, sql`select payload, tableoid::regclass::text as partition from events order by id`);

test("partitions for today and the days ahead are created once", async () => {
  expect(await keep(at(0))).toEqual({
    made: ["events_20260510", "events_20260511", "events_20260512"],
    dropped: [],
    postponed: [],
  });
  expect(await keep(at(0))).toEqual({ made: [], dropped: [], postponed: [] });
  expect((await keep(at(1))).made).toEqual(["events_20260513"]);
  await appendAt(at(1), "1");
  expect(await rows()).toEqual([{ payload: "1", partition: "events_20260511" }]);
});

test("events older than their partition move into it, without a difference for readers", async () => {
  const before = await positionNow(database.db);
  await appendAt(at(0), "1");
  await appendAt(at(0), "2");
  expect((await rows()).map(({ partition }) => partition)).toEqual(["events_default", "events_default"]);
  const [first] = (await readEvents(database.db, before, 1)).events;
  await keep(at(0));
  expect((await rows()).map(({ partition }) => partition)).toEqual(["events_20260510", "events_20260510"]);
  const rest = await readEvents(database.db, first?.position ?? before, 10);
  expect(rest.events.map(({ payload }) => payload)).toEqual(["2"]);
});

test("events past the retention are dropped by whole days, and a reader that needs them gets an error", async () => {
  await keep(at(0));
  const before = await positionNow(database.db);
  await appendAt(at(0), "old");
  const behindOld = (await readEvents(database.db, before, 10)).position;
  await appendAt(at(1), "newer");
  expect((await keep(at(3))).dropped).toEqual([]);
  // The tenth of the month ended three days before this time.
  expect((await keep(at(3.5))).dropped).toEqual(["events_20260510"]);

  await expect(readEvents(database.db, before, 10)).rejects.toMatchObject({
    code: "ResourceExpired",
    reason: "dropped",
  });
  const payloads = async (from: Parameters<typeof readEvents>[1]): Promise<string[]> =>
    (await readEvents(database.db, from, 10)).events.map(({ payload }) => payload);
  expect(await payloads(behindOld)).toEqual(["newer"]);
  expect(await payloads(await positionStart(database.db))).toEqual(["newer"]);
  const early = await positionAt(database.db, at(0));
  expect([early.complete, await payloads(early.position)]).toEqual([false, ["newer"]]);
  const kept = await positionAt(database.db, at(1));
  expect([kept.complete, await payloads(kept.position)]).toEqual([true, ["newer"]]);
});

test("events past the retention are deleted from the default partition too", async () => {
  await appendAt(new Date(Date.now() - 10 * day), "stray");
  await appendEvents(database.db, [{ exchange: "x", routingKey: "k", payload: "now" }]);
  await keep(new Date());
  expect((await rows()).map(({ payload }) => payload)).toEqual(["now"]);
  await expect(
    readEvents(
      database.db,
      { ...(await positionNow(database.db)), done: { epoch: 1, lastId: 0, inFlight: [] } },
      1,
    ),
  ).rejects.toMatchObject({ reason: "dropped" });
});

test("a transaction that holds a lock postpones housekeeping and delays no other session", async () => {
  await keep(at(0));
  const writer = await eventWriter(database.url);
  await writer.run("begin");
  await writer.append("open");
  const began = performance.now();
  const round = await keep(at(5));
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(round.dropped).toEqual([]);
  expect(round.postponed).toContain("events_20260510");
  await writer.run("commit");
  await writer.close();
  expect((await keep(at(5))).postponed).toEqual([]);
  expect((await rows()).map(({ payload }) => payload)).toEqual(["open"]);
});
