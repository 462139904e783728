import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { countersTable, eventWriter, type EventWriter } from "../../../../test/support/event-writer.ts";
import { until } from "../../../../test/support/until.ts";
import { sql } from "../sql.ts";
import { decodePosition, encodePosition, type Position } from "./position.ts";
import { positionAt, positionNow, positionStart, readEvents } from "./read.ts";
import { appendEvents, keepPartitions, lastDrawnId, openEpoch } from "./store.ts";

let database: TestDatabase;
let a: EventWriter;
let b: EventWriter;
let c: EventWriter;
let start: Position;

beforeAll(async () => {
  database = await testDatabase();
  [a, b, c] = [
    await eventWriter(database.url),
    await eventWriter(database.url),
    await eventWriter(database.url),
  ];
  await a.run(countersTable);
  await keepPartitions(database.db, { daysAhead: 1, retentionMs: 86_400_000 });
});
beforeEach(async () => {
  start = await positionNow(database.db);
});
afterAll(async () => {
  await Promise.all([a, b, c].map((writer) => writer.close()));
  await database.drop();
});

/** Reads all payloads after a position in pages of `limit`. Returns them with the position after them. */
async function readAll(from: Position, limit = 1000): Promise<{ payloads: string[]; end: Position }> {
  const payloads: string[] = [];
  for (let position = from; ;) {
    const page = await readEvents(database.db, position, limit);
    payloads.push(...page.events.map(({ payload }) => payload));
    position = decodePosition(encodePosition(page.position));
    if (page.caughtUp) return { payloads, end: position };
  }
}

const payloadsFrom = async (from: Position): Promise<string[]> => (await readAll(from)).payloads;

const waitsForLock = async (writer: EventWriter, pid: unknown): Promise<void> => {
  for (let turn = 0; turn < 5000; turn++) {
    const [row] = await writer.run("select wait_event_type from pg_stat_activity where pid = $1", [pid]);
    if (row?.["wait_event_type"] === "Lock") return;
  }
  throw new Error("nobody waits for a lock");
};

test("the last drawn id never goes back while others draw ids", async () => {
  let over = false;
  const drawing = [a, b].map(async (writer) => {
    while (!over) await writer.run("select count(nextval('events_id_seq')) from generate_series(1, 10000)");
  });
  // A loop in the database: from one statement to the next, too many ids are drawn to notice a value that is 32 too large.
  await c.run(`
    create function pg_temp.times_gone_back() returns integer language plpgsql as $$
    declare
      earlier bigint := 0;
      id bigint;
      times integer := 0;
    begin
      for i in 1..100000 loop
        id := ${lastDrawnId.text};
        if id < earlier then times := times + 1; end if;
        earlier := id;
      end loop;
      return times;
    end $$`);
  const rows = await c.run("select pg_temp.times_gone_back() as times");
  over = true;
  await Promise.all(drawing);
  expect(rows).toEqual([{ times: 0 }]);
});

describe("readEvents", () => {
  test("returns events as they were appended, with the unchanged text of their messages", async () => {
    await appendEvents(database.db, [
      {
        exchange: "exchange/a/v1/b",
        routingKey: "primary.x",
        routes: ['we"ird, {route}', "b"],
        payload: '{ "n":1.0 }',
      },
      { exchange: "exchange/a/v1/c", routingKey: "primary.y", payload: "2" },
    ]);
    const { events, caughtUp } = await readEvents(database.db, start, 10);
    expect(caughtUp).toBe(true);
    expect(events).toMatchObject([
      {
        exchange: "exchange/a/v1/b",
        routingKey: "primary.x",
        routes: ['we"ird, {route}', "b"],
        payload: '{ "n":1.0 }',
      },
      { exchange: "exchange/a/v1/c", routingKey: "primary.y", routes: [], payload: "2" },
    ]);
    expect(Math.abs(Date.now() - (events[0]?.recorded.getTime() ?? 0))).toBeLessThan(60_000);
  });

  test("continues after any event, and returns nothing at the end", async () => {
    await appendEvents(
      database.db,
      ["1", "2", "3"].map((payload) => ({ exchange: "x", routingKey: "k", payload })),
    );
    const { events, position } = await readEvents(database.db, start, 10);
    const rests = await Promise.all(events.map((event) => payloadsFrom(event.position)));
    expect(rests).toEqual([["2", "3"], ["3"], []]);
    expect(await readEvents(database.db, position, 10)).toMatchObject({ events: [], caughtUp: true });
  });

  test("never returns events that were rolled back", async () => {
    await a.run("begin");
    await a.append("undone");
    await a.run("rollback");
    await b.append("done");
    expect(await payloadsFrom(start)).toEqual(["done"]);
  });

  test("delays only the events of an open transaction", async () => {
    await a.run("begin");
    await a.append("slow 1");
    await b.append("quick 1");
    const first = await readAll(start);
    expect(first.payloads).toEqual(["quick 1"]);
    await a.append("slow 2");
    await b.append("quick 2");
    await a.run("commit");
    expect(await payloadsFrom(first.end)).toEqual(["slow 1", "slow 2", "quick 2"]);
    expect(await payloadsFrom(start)).toEqual(["slow 1", "quick 1", "slow 2", "quick 2"]);
  });

  // The newest transaction is beyond the snapshot's xmax, so it is in none of its lists, while its event id is not
  // beyond the last one that was drawn. A mark of xmax and list alone loses it.
  test("finds the event of a transaction that is newer than any that has ended", async () => {
    await a.run("begin");
    await a.append("youngest");
    const end = await positionNow(database.db);
    expect(end.done.inFlight).not.toEqual([]);
    await a.run("commit");
    expect(await payloadsFrom(end)).toEqual(["youngest"]);
  });

  test("finds events of one open transaction on both sides of a mark", async () => {
    await a.run("begin");
    await a.append("before");
    await b.append("other");
    const { end } = await readAll(start);
    await a.append("after");
    await a.run("commit");
    expect((await readAll(end, 1)).payloads).toEqual(["before", "after"]);
  });

  // The batch gets its transaction id with its first write, then waits for a row that a younger transaction
  // holds. In the order of transaction ids, "task 2" would come before "task 1".
  test("keeps the order of changes of a row whose transaction ids have the opposite order", async () => {
    await a.run("begin");
    await a.count("another task");
    await b.run("begin");
    await b.count("task");
    const [backend] = await a.run("select pg_backend_pid() as pid");
    const waiting = a.count("task");
    await waitsForLock(c, backend?.["pid"]);
    await b.run("commit");
    await waiting;
    await a.run("commit");

    const inXidOrder = await c.run(
      "select payload from events where id > $1 and routing_key = 'task' order by events.xid, events.id",
      [start.done.lastId],
    );
    expect(inXidOrder.map(({ payload }) => payload)).toEqual(["task 2", "task 1"]);
    expect(await payloadsFrom(start)).toEqual(["another task 1", "task 1", "task 2"]);
    expect((await readAll(start, 1)).payloads).toEqual(["another task 1", "task 1", "task 2"]);
  });

  test("lists few transactions although one has used thousands of ids", async () => {
    await a.run("begin");
    await a.run(`do $$ begin
      for i in 1..3000 loop
        begin insert into counters values ('savepoint ' || i, 1); exception when others then null; end;
      end loop; end $$`);
    await a.append("after savepoints");
    const { end } = await readAll(start);
    const now = await positionNow(database.db);
    await a.run("rollback");
    expect(end.done.inFlight.length).toBeLessThan(1000);
    expect(now.done.inFlight.length).toBeLessThan(1000);
  });
});

describe("positions", () => {
  test("of an empty log lead to its first event", async () => {
    const fresh = await testDatabase();
    const [now, oldest] = [await positionNow(fresh.db), await positionStart(fresh.db)];
    await appendEvents(fresh.db, [{ exchange: "x", routingKey: "k", payload: "first" }]);
    for (const position of [now, oldest])
      expect((await readEvents(fresh.db, position, 10)).events).toMatchObject([{ payload: "first" }]);
    await fresh.drop();
  });

  test("of a time begin before the first event recorded then, even one that is not visible yet", async () => {
    await a.append("before");
    // In whole milliseconds like a Date, so that it is later than the previous event.
    const [row] = await a.run("select date_trunc('milliseconds', clock_timestamp()) + '1 ms' as time");
    const time = row?.["time"] as Date;
    await until(
      "that time",
      async () => (await a.run("select where clock_timestamp() >= $1", [time])).length > 0,
    );
    await a.run("begin");
    await a.append("slow");
    await b.append("quick");
    const { position, complete } = await positionAt(database.db, time);
    await a.run("commit");
    expect(complete).toBe(true);
    expect(await payloadsFrom(position)).toEqual(["slow", "quick"]);

    const future = await positionAt(database.db, new Date(Date.now() + 3_600_000));
    await a.append("later");
    expect(await payloadsFrom(future.position)).toEqual(["later"]);
  });

  test("of another log, or ahead of this one, are refused", async () => {
    const { log, done } = start;
    const foreign: Position[] = [
      { log: log + 1, done },
      { log, done: { ...done, lastId: done.lastId + 1000 } },
      { log, done: { ...done, epoch: done.epoch + 1 } },
    ];
    for (const position of foreign)
      await expect(readEvents(database.db, position, 10)).rejects.toMatchObject({
        code: "InputError",
        reason: "foreign",
        message: expect.stringContaining("another installation"),
      });
  });
});

test("readers continue in a database that was copied to another cluster", async () => {
  const { db, url, drop } = await testDatabase();
  const writer = await eventWriter(url);
  expect(await openEpoch(db)).toBe(1);
  await writer.append("1");
  const ended = await positionNow(db);
  await writer.append("2");
  const lost = (await readEvents(db, ended, 10)).position;
  // Simulates a copy taken after event 1, when a transaction of the old cluster was open.
  const open = { ...ended, done: { ...ended.done, inFlight: [7] } };
  await writer.run("delete from events where payload = '2'");
  await writer.run(
    "insert into events (xid, exchange, routing_key, payload) values ('7', 'x', 'k', 'was open')",
  );
  await writer.run("update events set id = 1 where payload = 'was open'");
  await writer.run("select setval('events_id_seq', 1)");
  await writer.run("update event_epochs set cluster = 'the old one'");

  expect(await openEpoch(db)).toBe(2);
  expect(await openEpoch(db)).toBe(2);
  await writer.append("3");
  const read = async (from: Position): Promise<string[]> =>
    (await readEvents(db, from, 10)).events.map(({ payload }) => payload);
  expect(await read(ended)).toEqual(["3"]);
  expect(await read(lost)).toEqual(["3"]);
  expect(await read(open)).toEqual(["was open", "3"]);
  const { events } = await readEvents(db, open, 1);
  expect(await read(events[0]?.position ?? start)).toEqual(["3"]);
  expect(await db.run(sql`select from events where epoch = 2`)).toBe(1);
  await writer.close();
  await drop();
});
