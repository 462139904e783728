import { Type } from "typebox";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { databaseProxy } from "../../../test/support/database-proxy.ts";
import { testDatabase, type TestDatabase } from "../../../test/support/db.ts";
import { until } from "../../../test/support/until.ts";
import { listen, type ListenOptions } from "./listen.ts";
import { sql } from "./sql.ts";

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});
afterAll(() => t.drop());

/** Listens on a channel and records all messages in order. `next` waits for one more entry. */
function recorded(options: Partial<ListenOptions> = {}) {
  const seen: string[] = [];
  const waiting: (() => void)[] = [];
  const add = (entry: string): void => {
    seen.push(entry);
    waiting.shift()?.();
  };
  const listener = listen({
    url: t.url,
    channel: "Wake up",
    onMessage: (payload) => add(payload),
    onReconnect: () => add("(reconnected)"),
    ...options,
  });
  onTestFinished(() => listener.close());
  return { listener, seen, next: () => new Promise<void>((resolve) => waiting.push(resolve)) };
}

const notify = (payload: string) => t.db.run(sql`select pg_notify('Wake up', ${payload})`);

const killListeners = () =>
  t.db.many(
    Type.Object({ done: Type.Boolean() }),
    sql`select pg_terminate_backend(pid, 5000) as done from pg_stat_activity
        where application_name = 'taskyard listen' and datname = current_database()`,
  );

test("receives notifications of other connections in order", async () => {
  const { listener, seen, next } = recorded();
  await listener.ready;
  const both = Promise.all([next(), next()]);
  await notify("one");
  await notify("two");
  await both;
  expect(seen).toEqual(["one", "two"]);
});

test("reconnects after its connection ended, and reports that messages may be lost", async () => {
  const { listener, seen, next } = recorded();
  await listener.ready;
  const reconnected = next();
  expect(await killListeners()).toEqual([{ done: true }]);
  await reconnected;
  const received = next();
  await notify("still here");
  await received;
  expect(seen).toEqual(["(reconnected)", "still here"]);
});

test("receives nothing after it was closed", async () => {
  const { listener, seen } = recorded();
  await listener.ready;
  await listener.close();
  await notify("too late");
  expect(seen).toEqual([]);
  expect(await killListeners()).toEqual([]);
});

test("retries while the database is unavailable, with growing pauses of at most 5 s", async () => {
  const clock = manualClock();
  const pauses: number[] = [];
  let onPause = (): void => undefined;
  const log = {
    warn(fields: object) {
      if ("delayMs" in fields) pauses.push(Number(fields.delayMs));
      onPause();
    },
  };
  const unavailable = "postgres://x@/x?host=%2Fnowhere";
  const first = new Promise<void>((resolve) => (onPause = resolve));
  recorded({ url: unavailable, clock, log });
  await first;
  while (pauses.length < 9) {
    const more = new Promise<void>((resolve) => (onPause = resolve));
    await clock.advance(5_000);
    await more;
  }
  expect(pauses[0]).toBeLessThanOrEqual(125);
  expect(pauses[3]).toBeGreaterThanOrEqual(600);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
  expect(pauses[8]).toBeGreaterThanOrEqual(3_750);
});

test("replaces a connection that no longer replies", async () => {
  const proxy = await databaseProxy(t.url);
  onTestFinished(() => proxy.close());
  const clock = manualClock();
  const { listener, seen, next } = recorded({ url: proxy.url, clock, replyTimeoutMs: 2_000 });
  await listener.ready;
  proxy.freeze();
  const reconnected = next();
  // The heartbeat is sent; its reply times out in real time.
  await clock.advance(30_000);
  await until("the next attempt", async () => clock.pending() === 1);
  proxy.thaw();
  await clock.advance(5_000);
  await reconnected;
  expect(seen).toEqual(["(reconnected)"]);
});

test("replaces a connection that is older than the greatest age, and reports that messages may be lost", async () => {
  const clock = manualClock();
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => warnings.push(message) };
  const { listener, seen, next } = recorded({ clock, maxAgeMs: 45_000, log });
  await listener.ready;
  await clock.advance(30_000);
  await until("the first heartbeat", async () => clock.pending() === 1);
  const reconnected = next();
  await clock.advance(30_000);
  await reconnected;
  expect({ seen, warnings }).toEqual({ seen: ["(reconnected)"], warnings: [] });
});
