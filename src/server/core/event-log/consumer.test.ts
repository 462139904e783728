import Type from "typebox";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { immediateClock } from "../../../../test/support/immediate-clock.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { until } from "../../../../test/support/until.ts";
import { systemClock, type Clock } from "../../../lib/clock.ts";
import { openDb } from "../db.ts";
import { sql } from "../sql.ts";
import { startWakeUpRelay } from "../wake-up-relay.ts";
import { createWakeUps } from "../wake-ups.ts";
import {
  appendEvents,
  decodePosition,
  eventsTopic,
  openEventLog,
  type ConsumedEvent,
  type EventLog,
} from "./index.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

interface Process {
  readonly log: EventLog;
  readonly wake: (topic: string) => void;
  readonly records: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** The parts of a server process: its own connections, wake-ups and event log. */
async function startProcess(clock: Clock = systemClock): Promise<Process> {
  const { url } = database;
  const wakeUps = createWakeUps();
  const db = openDb({ url, checkRows: true, wake: wakeUps.wake });
  const relay = await startWakeUpRelay({ url, db, wakeUps, clock: systemClock, intervalMs: 1 });
  const { monitor, records } = testMonitor();
  const config = { retention: 86_400_000, pollInterval: 50 };
  const log = await openEventLog({ db, wakeUps, clock, monitor, config });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      await log.stop();
      await relay.stop();
      await db.close();
    })());
  onTestFinished(stop);
  return { log, wake: wakeUps.wake, records, stop };
}

let names = 0;
const newName = (): string => `consumer-${++names}`;

async function append(...payloads: string[]): Promise<void> {
  await appendEvents(
    database.db,
    payloads.map((payload) => ({ exchange: "x", routingKey: "k", payload, routes: ["r"] })),
  );
}

/** A handler that records its events and can throw. */
function handler(object: (event: ConsumedEvent) => void = () => undefined) {
  const had: string[] = [];
  return {
    had,
    handle: (events: readonly ConsumedEvent[]): Promise<void> => {
      for (const event of events) {
        object(event);
        had.push(event.payload);
      }
      return Promise.resolve();
    },
    has: (...payloads: string[]): Promise<boolean> =>
      until(`${payloads.join()} instead of ${had.join()}`, async () =>
        payloads.every((p) => had.includes(p)),
      ),
  };
}

const fails = (): never => {
  throw new Error("cannot be handled");
};

test("events are delivered in order, also those that were published during a restart", async () => {
  const name = newName();
  const first = await startProcess();
  const one = handler();
  first.log.consume({ name, handle: one.handle, begin: "start" });
  await append("1", "2");
  await append("3");
  await one.has("1", "2", "3");
  await first.stop();
  await append("4");

  const second = await startProcess();
  const two = handler();
  second.log.consume({ name, handle: two.handle });
  await two.has("4");
  expect([one.had, two.had]).toEqual([["1", "2", "3"], ["4"]]);
});

test("events that were being handled at a stop are delivered again", async () => {
  const name = newName();
  const first = await startProcess();
  let begun = false;
  const consumer = first.log.consume({
    name,
    handle: (_events, signal) =>
      new Promise((_resolve, reject) => {
        begun = true;
        signal.addEventListener("abort", () => reject(new Error("stopped half-way")));
      }),
  });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  await append("half-way");
  await until("the handler", async () => begun);
  await consumer.stop();
  const again = handler();
  first.log.consume({ name, handle: again.handle });
  await again.has("half-way");
  expect(again.had).toEqual(["half-way"]);
});

const Place = Type.Object({ position: Type.String() });
const place = async (name: string): Promise<number | undefined> => {
  const row = await database.db.maybeOne(
    Place,
    sql`select position from event_consumers where name = ${name}`,
  );
  return row && decodePosition(row.position).done.lastId;
};

test("an event that cannot be handled is retried, then becomes a dead letter; the others are delivered", async () => {
  const name = newName();
  const clock = immediateClock(1_000);
  const { log, records } = await startProcess(clock);
  let tries = 0;
  let broken = true;
  const { had, has, handle } = handler(({ payload }) => {
    if (payload === "bad" && broken && ++tries > 0) fails();
  });
  log.consume({ name, handle, batch: 10, attempts: 3 });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  await append("good", "bad", "after");
  await has("good", "after");
  // Once in the batch, then three times by itself.
  expect(tries).toBe(4);
  expect(had.filter((payload) => payload === "bad")).toEqual([]);

  const letters = await log.deadLetters.list({ limit: 10 });
  expect(letters).toMatchObject([
    {
      consumer: name,
      exchange: "x",
      routing_key: "k",
      cc: ["r"],
      payload: "bad",
      attempts: 3,
      error: expect.stringMatching(/^cannot be handled \(incident [0-9a-f-]{36}\)$/),
      retry_requested: false,
    },
  ]);
  expect(records.find(({ incidentId }) => letters[0]?.error.includes(String(incidentId)))).toMatchObject({
    event: letters[0]?.event_id,
  });

  const id = letters[0]?.event_id ?? 0;
  expect(await log.deadLetters.retry(name, id)).toBe(true);
  await until("another failure", async () => (await log.deadLetters.list({ limit: 1 }))[0]?.attempts === 4);
  broken = false;
  await log.deadLetters.retry(name, id);
  await has("bad");
  await until("an empty list", async () => (await log.deadLetters.list({ limit: 1 })).length === 0);
  expect(await log.deadLetters.retry(name, id)).toBe(false);
  expect(await log.deadLetters.drop(name, id)).toBe(false);
});

test("dead letters can be dropped, and are listed in pages", async () => {
  const name = newName();
  const { log } = await startProcess(immediateClock(1_000));
  log.consume({ name, handle: fails, attempts: 1 });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  await append("1", "2", "3");
  await until("three dead letters", async () => (await log.deadLetters.list({ limit: 9 })).length === 3);
  const [first] = await log.deadLetters.list({ limit: 1 });
  const rest = await log.deadLetters.list({ after: { consumer: name, id: first?.event_id ?? 0 }, limit: 9 });
  expect([first, ...rest].map((letter) => letter?.payload)).toEqual(["1", "2", "3"]);
  for (const { event_id: id } of [first ?? fails(), ...rest])
    expect(await log.deadLetters.drop(name, id)).toBe(true);
  expect(await log.deadLetters.list({ limit: 9 })).toEqual([]);
});

test("an outage of any length is waited out and causes no dead letter", async () => {
  const name = newName();
  const { log } = await startProcess(immediateClock(31_000));
  let away = 40;
  const { had, has, handle } = handler(() => {
    if (away-- > 0) throw new Error("broker away");
  });
  log.consume({ name, handle, isOutage: (err) => err instanceof Error && err.message === "broker away" });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  await append("1", "2");
  await has("1", "2");
  expect(had).toEqual(["1", "2"]);
  expect(await log.deadLetters.list({ limit: 9 })).toEqual([]);
});

test("one of several processes consumes, and another takes over when it stops", async () => {
  const name = newName();
  const [first, second] = [await startProcess(), await startProcess()];
  const [one, two] = [handler(), handler()];
  first.log.consume({ name, handle: one.handle });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  second.log.consume({ name, handle: two.handle });
  // A second consumer in the same process must wait too.
  const three = handler();
  first.log.consume({ name, handle: three.handle });
  await append("1");
  await one.has("1");
  await first.stop();
  await append("2");
  await two.has("2");
  expect([one.had, two.had, three.had]).toEqual([["1"], ["2"], []]);
});

test("another process takes over when the one that holds the name loses its connection", async () => {
  const name = newName();
  // Candidacy and heartbeat intervals are short, so the process that lost its connection and the other have equal chances.
  const quick = immediateClock(60_000);
  const [first, second] = [await startProcess(quick), await startProcess(quick)];
  const { had, handle, has } = handler();
  first.log.consume({ name, handle });
  second.log.consume({ name, handle });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  for (const payload of ["1", "2", "3"]) {
    await append(payload);
    await has(payload);
    await database.db.run(sql`
      select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())`);
  }
  expect([...new Set(had)]).toEqual(["1", "2", "3"]);
});

test("a consumer that fell behind the retention continues with the oldest event and reports it", async () => {
  const name = newName();
  const first = await startProcess();
  const one = handler();
  first.log.consume({ name, handle: one.handle });
  await until("the consumer's place", async () => (await place(name)) !== undefined);
  await append("1");
  await one.has("1");
  await first.stop();
  await append("dropped", "kept");
  await database.db.run(sql`update event_log set dropped_through = (select max(id) - 1 from events)`);
  const second = await startProcess();
  const two = handler();
  second.log.consume({ name, handle: two.handle });
  await two.has("kept");
  expect(two.had).toEqual(["kept"]);
  expect(second.records).toContainEqual(expect.objectContaining({ reason: "dropped", consumer: name }));
  await database.db.run(sql`update event_log set dropped_through = 0`);
});

test("the position after skipped events is stored too", async () => {
  const name = newName();
  const { log, wake } = await startProcess(immediateClock(60_000));
  log.consume({ name, handle: fails, accepts: () => false });
  const before = await until("the consumer's place", () => place(name));
  await append("unwanted", "unwanted");
  wake(eventsTopic);
  await until("a later place", async () => ((await place(name)) ?? 0) >= before + 2);
  expect(await log.deadLetters.list({ limit: 1 })).toEqual([]);
});
