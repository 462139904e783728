import Type from "typebox";
import { afterAll, beforeAll, expect, expectTypeOf, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { until } from "../../../../test/support/until.ts";
import { systemClock } from "../../../lib/clock.ts";
import { createWakeUps } from "../wake-ups.ts";
import {
  appendEvents,
  defineBatchConsumer,
  defineConsumer,
  openEventLog,
  type EventLog,
  type LoggedEvent,
} from "./index.ts";

const created = { exchange: "exchange/x/created", schema: Type.Object({ size: Type.Integer() }) } as const;
const removed = { exchange: "exchange/x/removed", schema: Type.Object({ by: Type.String() }) } as const;

let database: TestDatabase;
let log: EventLog;
beforeAll(async () => {
  const wakeUps = createWakeUps();
  database = await testDatabase({ wake: wakeUps.wake });
  const { monitor } = testMonitor();
  const config = { retention: 86_400_000, pollInterval: 3_600_000 };
  log = await openEventLog({ db: database.db, wakeUps, clock: systemClock, monitor, config });
});
afterAll(async () => {
  await log.stop();
  await database.drop();
});

it("handles the events of its exchanges, with their messages; one that is not valid becomes a dead letter", async () => {
  const handled: unknown[] = [];
  const consumer = defineConsumer({
    name: "typed",
    begin: "start",
    attempts: 1,
    on: [created, removed],
    handle: (event) => {
      expectTypeOf(event.exchange).toEqualTypeOf<"exchange/x/created" | "exchange/x/removed">();
      if (event.exchange === "exchange/x/created")
        expectTypeOf(event.message).toEqualTypeOf<{ size: number }>();
      else expectTypeOf(event.message).toEqualTypeOf<{ by: string }>();
      handled.push({ key: event.routingKey, ...event.message });
      return Promise.resolve();
    },
  });
  log.consume(consumer);
  await appendEvents(database.db, [
    { exchange: created.exchange, routingKey: "1", payload: '{"size":3,"more":true}' },
    { exchange: "exchange/x/other", routingKey: "2", payload: "{}" },
    { exchange: created.exchange, routingKey: "3", payload: '{"size":"large"}' },
    { exchange: removed.exchange, routingKey: "4", payload: '{"by":"me"}' },
  ]);
  await until("the last event", async () => handled.length === 2);
  expect(handled).toEqual([
    { key: "1", size: 3, more: true },
    { key: "4", by: "me" },
  ]);
  expect(await log.deadLetters.list({ limit: 9 })).toMatchObject([
    {
      consumer: "typed",
      routing_key: "3",
      error: expect.stringMatching(
        /^an event of exchange\/x\/created is not valid: message\.size must be integer: correct its publisher \(incident /,
      ),
    },
  ]);
});

const eventOf = (exchange: string): LoggedEvent => ({
  id: 1,
  exchange,
  routingKey: "",
  routes: [],
  payload: '{"size":1}',
  recorded: new Date(),
  position: { log: 1, done: { epoch: 1, lastId: 1, inFlight: [] } },
});

it("rejects if the handler throws before it returns a promise, and if the message is not valid", async () => {
  const of = {
    name: "throws",
    on: [created],
    handle: () => {
      throw new Error("cannot be handled");
    },
  };
  const { signal } = new AbortController();
  const event = eventOf(created.exchange);
  for (const { handle } of [defineConsumer(of), defineBatchConsumer(of)]) {
    await expect(handle([event], signal)).rejects.toThrow("cannot be handled");
    await expect(handle([{ ...event, payload: "{}" }], signal)).rejects.toThrow("is not valid");
  }
});

it("accepts no other exchanges, and only events for which its condition holds", () => {
  const of = { name: "typed", on: [created], handle: () => Promise.resolve() };
  const { accepts } = defineConsumer(of);
  expect([created.exchange, removed.exchange].map((exchange) => accepts?.(eventOf(exchange)))).toEqual([
    true,
    false,
  ]);
  const { accepts: narrowed } = defineConsumer({ ...of, where: ({ id }) => id > 1 });
  expect([1, 2].map((id) => narrowed?.({ ...eventOf(created.exchange), id }))).toEqual([false, true]);
});
