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
/** Payloads of every NOTIFY in this database. */
const heard: string[] = [];
let overhearing: ReturnType<typeof listen>;
interface Process extends WakeUps {
  stop(): Promise<void>;
}
const open: Process[] = [];

beforeAll(async () => {
  database = await testDatabase();
  overhearing = listen({ url: database.url, channel: "taskyard_wake", onMessage: (p) => void heard.push(p) });
  await overhearing.ready;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((wakeUps) => wakeUps.stop()));
  heard.length = 0;
});
afterAll(async () => {
  await overhearing.close();
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

/** Resolves at the next call of the callback that it gives to `subscribe`. */
const nextCall = (subscribe: (callback: () => void) => () => void): Promise<"called"> =>
  new Promise((resolve) => {
    const unsubscribe = subscribe(() => (unsubscribe(), resolve("called")));
  });

/** Two processes that have heard of each other and have nothing more to say. */
async function pair(clock?: ManualClock): Promise<[Process, Process]> {
  const first = await start(clock);
  const second = await start(clock);
  await expectToHear(first, second, clock);
  await expectToHear(second, first, clock);
  await drain(first, clock);
  await drain(second, clock);
  await clock?.advance(10);
  await delivered();
  heard.length = 0;
  return [first, second];
}

async function expectToHear(speaker: WakeUps, hearer: WakeUps, clock?: ManualClock): Promise<void> {
  let hears = false;
  const unsubscribe = hearer.subscribe("acquaintance", () => (hears = true));
  for (let turn = 0; turn < 1000 && !hears; turn++) {
    speaker.wake("acquaintance");
    await clock?.advance(10);
    await delivered();
  }
  unsubscribe();
  expect(hears).toBe(true);
}

/** Waits until a process has sent everything: a slow NOTIFY of its acquaintance would count as one of the test. */
async function drain(wakeUps: WakeUps, clock?: ManualClock): Promise<void> {
  const last = `last ${marks++}`;
  wakeUps.wake(last);
  for (let turn = 0; turn < 1000 && !heard.some((payload) => payload.includes(last)); turn++) {
    await clock?.advance(10);
    await delivered();
  }
}

/** Until the database has delivered everything that was said up to now. */
async function delivered(): Promise<void> {
  const mark = `mark ${marks++}`;
  // Said until heard, since a test may have broken the connection that overhears.
  for (let turn = 0; turn < 5000 && !heard.includes(mark); turn++)
    await database.db.run(sql`select pg_notify('taskyard_wake', ${mark})`);
  expect(heard).toContain(mark);
}

/** The topics of each NOTIFY, when there are at least `count`. */
async function toldTopics(count: number): Promise<unknown[]> {
  let told: unknown[] = [];
  for (let turn = 0; turn < 1000 && told.length < count; turn++) {
    await delivered();
    told = heard
      .filter((p) => p.includes("topics"))
      .map((p) => (JSON.parse(p) as { topics: unknown }).topics);
  }
  return told;
}

test("a process that is alone notifies nobody", async () => {
  const wakeUps = await start();
  wakeUps.wake("events");
  await wakeUps.stop();
  await delivered();
  expect(heard.filter((payload) => payload.includes("topics"))).toEqual([]);
});

test("what one process wakes, another hears, and only the topics that were woken", async () => {
  const [first, second] = await pair();
  const wrong: string[] = [];
  second.subscribe("pending:a/c", () => wrong.push("a/c"));
  const woken = nextCall((callback) => second.subscribe("pending:a/b", callback));
  first.wake("pending:a/b");
  expect(await woken).toBe("called");
  expect(wrong).toEqual([]);
});

test("a process does not hear itself", async () => {
  const [first] = await pair();
  let calls = 0;
  first.subscribe("events", () => calls++);
  first.wake("events");
  await first.stop();
  await delivered();
  expect(calls).toBe(1);
});

test("the first wake-up leaves at once, the ones of the interval after it together", async () => {
  const clock = manualClock();
  const [first] = await pair(clock);
  for (const topic of ["a", "b", "c", "b"]) {
    first.wake(topic);
    await Promise.resolve();
  }
  expect(await toldTopics(1)).toEqual([["a"]]);
  await clock.advance(10);
  expect(await toldTopics(2)).toEqual([["a"], ["b", "c"]]);
});

test("more topics than a NOTIFY can carry wake everybody", async () => {
  const [first, second] = await pair();
  const woken = nextCall((callback) => second.subscribe("something else", callback));
  for (let i = 0; i < 200; i++) first.wake(`pending:${"x".repeat(38)}/${i}`);
  expect(await woken).toBe("called");
});

test("what was woken just before the stop is still told", async () => {
  const [first, second] = await pair();
  const woken = nextCall((callback) => second.subscribe("last words", callback));
  first.wake("events");
  await Promise.resolve();
  first.wake("last words");
  await first.stop();
  expect(await woken).toBe("called");
});

test("a broken connection wakes everybody when it is back", async () => {
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

test("notifications that are not ours do no harm", async () => {
  const [first, second] = await pair();
  for (const payload of ["", "no json", "null", '{"process":1}', '{"process":"x","topics":"events"}'])
    await database.db.run(sql`select pg_notify('taskyard_wake', ${payload})`);
  const woken = nextCall((callback) => second.subscribe("events", callback));
  first.wake("events");
  expect(await woken).toBe("called");
});
