import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../test/support/db.ts";
import { manualClock, type ManualClock } from "../../../test/support/clock.ts";
import { systemClock, type Clock } from "../../lib/clock.ts";
import { listen } from "./listen.ts";
import { sql } from "./sql.ts";
import { startWakeUpRelay } from "./wake-up-relay.ts";
import { createWakeUps, type WakeUps } from "./wake-ups.ts";

let database: TestDatabase;
let marks = 0;
/** The payloads of all notifications in this database. */
const notified: string[] = [];
let observer: ReturnType<typeof listen>;
interface Process extends WakeUps {
  stop(): Promise<void>;
}
const open: Process[] = [];

beforeAll(async () => {
  database = await testDatabase();
  observer = listen({ url: database.url, channel: "taskyard_wake", onMessage: (p) => void notified.push(p) });
  await observer.ready;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((wakeUps) => wakeUps.stop()));
  notified.length = 0;
});
afterAll(async () => {
  await observer.close();
  await database.drop();
});

async function start(clock: Clock = systemClock): Promise<Process> {
  const { url, db } = database;
  const wakeUps = createWakeUps();
  const relay = await startWakeUpRelay({ url, db, wakeUps, clock, intervalMs: 10 });
  const started = { ...wakeUps, stop: relay.stop };
  open.push(started);
  return started;
}

/** Resolves at the next call of the callback that it passes to `subscribe`. */
const nextCall = (subscribe: (callback: () => void) => () => void): Promise<"called"> =>
  new Promise((resolve) => {
    const unsubscribe = subscribe(() => (unsubscribe(), resolve("called")));
  });

/** Two processes that have received messages of each other and have nothing left to send. */
async function pair(clock?: ManualClock): Promise<[Process, Process]> {
  const first = await start(clock);
  const second = await start(clock);
  await expectToReach(first, second, clock);
  await expectToReach(second, first, clock);
  await drain(first, clock);
  await drain(second, clock);
  await clock?.advance(10);
  await delivered();
  notified.length = 0;
  return [first, second];
}

async function expectToReach(sender: WakeUps, receiver: WakeUps, clock?: ManualClock): Promise<void> {
  let received = false;
  const unsubscribe = receiver.subscribe("setup", () => (received = true));
  for (let i = 0; i < 1000 && !received; i++) {
    sender.wake("setup");
    await clock?.advance(10);
    await delivered();
  }
  unsubscribe();
  expect(received).toBe(true);
}

/** Waits until a process has sent everything: a slow NOTIFY from the setup would count as one of the test. */
async function drain(wakeUps: WakeUps, clock?: ManualClock): Promise<void> {
  const last = `last ${marks++}`;
  wakeUps.wake(last);
  for (let i = 0; i < 1000 && !notified.some((payload) => payload.includes(last)); i++) {
    await clock?.advance(10);
    await delivered();
  }
}

/** Waits until the database has delivered all earlier notifications. */
async function delivered(): Promise<void> {
  const mark = `mark ${marks++}`;
  // Sent repeatedly, because a test may have broken the listening connection.
  for (let i = 0; i < 5000 && !notified.includes(mark); i++)
    await database.db.run(sql`select pg_notify('taskyard_wake', ${mark})`);
  expect(notified).toContain(mark);
}

/** Waits for at least `count` notifications with topics. Returns the topics of each. */
async function sentTopics(count: number): Promise<unknown[]> {
  let sent: unknown[] = [];
  for (let i = 0; i < 1000 && sent.length < count; i++) {
    await delivered();
    sent = notified
      .filter((p) => p.includes("topics"))
      .map((p) => (JSON.parse(p) as { topics: unknown }).topics);
  }
  return sent;
}

test("a process that is alone sends nothing", async () => {
  const wakeUps = await start();
  wakeUps.wake("events");
  await wakeUps.stop();
  await delivered();
  expect(notified.filter((payload) => payload.includes("topics"))).toEqual([]);
});

test("a topic that one process wakes is woken in another one, and no other topic", async () => {
  const [first, second] = await pair();
  const wrong: string[] = [];
  second.subscribe("pending:a/c", () => wrong.push("a/c"));
  const woken = nextCall((callback) => second.subscribe("pending:a/b", callback));
  first.wake("pending:a/b");
  expect(await woken).toBe("called");
  expect(wrong).toEqual([]);
});

test("a process ignores its own notifications", async () => {
  const [first] = await pair();
  let calls = 0;
  first.subscribe("events", () => calls++);
  first.wake("events");
  await first.stop();
  await delivered();
  expect(calls).toBe(1);
});

test("the first wake-up is sent immediately, those of the interval after it together", async () => {
  const clock = manualClock();
  const [first] = await pair(clock);
  for (const topic of ["a", "b", "c", "b"]) {
    first.wake(topic);
    await Promise.resolve();
  }
  expect(await sentTopics(1)).toEqual([["a"]]);
  await clock.advance(10);
  expect(await sentTopics(2)).toEqual([["a"], ["b", "c"]]);
});

test("more topics than fit into a NOTIFY wake all subscribers", async () => {
  const [first, second] = await pair();
  const woken = nextCall((callback) => second.subscribe("something else", callback));
  for (let i = 0; i < 200; i++) first.wake(`pending:${"x".repeat(38)}/${i}`);
  expect(await woken).toBe("called");
});

test("a topic woken just before the stop is still sent", async () => {
  const [first, second] = await pair();
  const woken = nextCall((callback) => second.subscribe("last words", callback));
  first.wake("events");
  await Promise.resolve();
  first.wake("last words");
  await first.stop();
  expect(await woken).toBe("called");
});

test("a connection that is restored wakes all subscribers", async () => {
  const wakeUps = await start();
  const woken = nextCall((callback) => wakeUps.subscribe("events", callback));
  const broken = await database.db.run(
    sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'taskyard listen'`,
  );
  expect(broken).toBeGreaterThan(0);
  expect(await woken).toBe("called");
  await delivered();
});

test("foreign notifications are ignored", async () => {
  const [first, second] = await pair();
  for (const payload of ["", "no json", "null", '{"process":1}', '{"process":"x","topics":"events"}'])
    await database.db.run(sql`select pg_notify('taskyard_wake', ${payload})`);
  const woken = nextCall((callback) => second.subscribe("events", callback));
  first.wake("events");
  expect(await woken).toBe("called");
});
