import Type from "typebox";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { countersTable, eventWriter } from "../../../../test/support/event-writer.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { eventually } from "../../../../test/support/until.ts";
import { systemClock } from "../../../lib/clock.ts";
import type { Db } from "../db.ts";
import { sql } from "../sql.ts";
import { createWakeUps, type WakeUps } from "../wake-ups.ts";
import {
  appendEvents,
  decodePosition,
  encodePosition,
  eventsTopic,
  openEventLog,
  type EventLog,
  type LoggedEvent,
  type Position,
} from "./index.ts";

let database: TestDatabase;
let wakeUps: WakeUps;
let log: EventLog;
/** The number of pages read from the log. */
let pages = 0;

beforeAll(async () => {
  wakeUps = createWakeUps();
  database = await testDatabase({ poolSize: 20, wake: wakeUps.wake });
  // Every statement still reaches the database. Those that read the log are counted.
  const db: Db = {
    ...database.db,
    many(row, query) {
      if (query.text.includes("late_events")) pages++;
      return database.db.many(row, query);
    },
  };
  const clock = systemClock;
  const { monitor } = testMonitor();
  // No polling: a test that relies on it times out.
  log = await openEventLog({
    db,
    wakeUps,
    clock,
    monitor,
    config: { retention: 86_400_000, pollInterval: 3_600_000 },
  });
});
afterAll(async () => {
  await log.stop();
  await database.drop();
});

async function append(...payloads: string[]): Promise<void> {
  await appendEvents(
    database.db,
    payloads.map((payload) => ({ exchange: "x", routingKey: "k", payload })),
  );
}

interface Follower {
  readonly had: LoggedEvent[];
  /** Resolves when this many events have been delivered in total. */
  has(count: number): Promise<string[]>;
  /** Resolves when an event with this payload has been delivered. */
  delivered(payload: string): Promise<void>;
  position(): Position;
  end(): Promise<void>;
}

function start(
  from: Position,
  options: { accepts?: (event: LoggedEvent) => boolean; pause?: () => Promise<void> } = {},
): Follower {
  const stop = new AbortController();
  const had: LoggedEvent[] = [];
  let look = (): void => {};
  const { accepts, pause } = options;
  const following = log.follow({ from, signal: stop.signal, ...(accepts && { accepts }) });
  const done = (async () => {
    for await (const events of following) {
      had.push(...events);
      look();
      await pause?.();
    }
  })();
  const end = (): Promise<void> => (stop.abort(), done);
  onTestFinished(end);
  return {
    had,
    has: (count) =>
      new Promise((resolve) => {
        look = () => had.length >= count && resolve(had.map(({ payload }) => payload));
        look();
      }),
    delivered: (payload) =>
      new Promise((resolve) => {
        look = () => had.some((event) => event.payload === payload) && resolve();
        look();
      }),
    position: () => following.position,
    end,
  };
}

/** Waits until the follower shares the tail, so that its position moves with the log. */
async function isLive(follower: Follower): Promise<void> {
  for (let i = 0; ; i++) {
    await append(`wake ${i}`);
    const { done } = await log.positionNow();
    for (let i = 0; i < 200; i++) {
      if (follower.position().done.lastId >= done.lastId) return;
      await new Promise(setImmediate);
    }
    if (i > 200) throw new Error("the follower never came to the end");
  }
}

describe("follow", () => {
  test("delivers the existing events and then new ones", async () => {
    const from = await log.positionNow();
    await append("1", "2");
    const follower = start(from);
    expect(await follower.has(2)).toEqual(["1", "2"]);
    await append("3");
    await append("4");
    expect(await follower.has(4)).toEqual(["1", "2", "3", "4"]);
  });

  test("delivers the events of a transaction after its commit", async () => {
    const follower = start(await log.positionNow());
    await isLive(follower);
    await database.db.tx(async (tx) => {
      await appendEvents(tx, [{ exchange: "x", routingKey: "k", payload: "committed" }]);
    });
    // Events of `isLive` may still be delivered before it.
    await follower.delivered("committed");
    await append("last");
    await follower.delivered("last");
    expect(
      follower.had.filter(({ payload }) => !payload.startsWith("wake")).map(({ payload }) => payload),
    ).toEqual(["committed", "last"]);
  });

  test("delivers an event that an open transaction delays once, whenever that commits", async () => {
    const writer = await eventWriter(database.url);
    const follower = start(await log.positionNow());
    await writer.run("begin");
    await writer.append("slow");
    await append("quick");
    expect(await follower.has(1)).toEqual(["quick"]);
    await writer.run("commit");
    await append("last");
    expect(await follower.has(3)).toEqual(["quick", "slow", "last"]);
    await writer.close();
  });

  test("skips events that are not accepted, and reports its position after them", async () => {
    const accepts = ({ payload }: LoggedEvent): boolean => payload === "wanted";
    const follower = start(await log.positionNow(), { accepts });
    await isLive(follower);
    await append("wanted");
    expect(await follower.has(1)).toEqual(["wanted"]);
    await isLive(follower);
    const resumed = start(decodePosition(encodePosition(follower.position())), { accepts });
    await append("wanted");
    expect(await resumed.has(1)).toEqual(["wanted"]);
    expect(await follower.has(2)).toEqual(["wanted", "wanted"]);
  });

  test("shares one reader among all followers that have reached the end", async () => {
    const from = await log.positionNow();
    const followers = Array.from({ length: 50 }, () => start(from));
    await Promise.all(followers.map(isLive));
    // A follower whose position is at the end may still be joining the others.
    await eventually(async () => {
      const before = pages;
      const counts = followers.map(({ had }) => had.length);
      await append("for all");
      await Promise.all(followers.map((follower, i) => follower.has((counts[i] ?? 0) + 1)));
      expect(pages - before).toBeLessThanOrEqual(2);
      // Not only equal events, but the same objects.
      expect(new Set(followers.map(({ had }) => had.at(-1))).size).toBe(1);
    });
  });

  test("reads nothing without a follower", async () => {
    const follower = start(await log.positionNow());
    await isLive(follower);
    await follower.end();
    await append("unheard");
    await append("unheard");
    const before = pages;
    for (let i = 0; i < 100; i++) await new Promise(setImmediate);
    expect(pages).toBe(before);
  });

  test("lets a follower that stalls catch up from the database, without keeping its events in memory", async () => {
    let release = (): void => {};
    let stalled = false;
    const follower = start(await log.positionNow(), {
      pause: () => (stalled ? new Promise((resolve) => (release = resolve)) : Promise.resolve()),
    });
    await isLive(follower);
    // Events of `isLive` may still be delivered. After this one, only those appended here are.
    await append("live");
    await follower.delivered("live");
    let had = follower.had.length;
    stalled = true;
    await append("stall");
    await follower.has(++had);
    const expected = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    for (let i = 0; i < 5_000; i += 100) await append(...expected.slice(i, i + 100));
    stalled = false;
    release();
    expect((await follower.has(had + 5_000)).slice(had)).toEqual(expected);
  });

  test("survives the loss of its connections", async () => {
    const follower = start(await log.positionNow());
    await append("before");
    await follower.has(1);
    await database.db.run(
      sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`,
    );
    let lost = 0;
    for (let tries = 0; tries < 50; tries++) await append("after").catch(() => lost++);
    expect((await follower.has(51 - lost)).slice(1)).toEqual(Array(50 - lost).fill("after"));
  });

  test("ends without an error when its signal aborts, and when the log stops", async () => {
    const follower = start(await log.positionNow());
    await expect(follower.end()).resolves.toBeUndefined();
    const aborted = start(await log.positionNow());
    await expect(aborted.end()).resolves.toBeUndefined();
  });
});

test("followers that start and stop among concurrent writers miss and repeat nothing", async () => {
  const writers = await Promise.all(Array.from({ length: 6 }, () => eventWriter(database.url)));
  await writers[0]?.run(countersTable);
  const from = await log.positionNow();
  const first = from.done.lastId;
  let over = false;
  let resolveIds = (_ids: readonly number[]): void => undefined;
  /** The ids of all events, resolved when no more follow. `over` is true before the last one is written. */
  const allIds = new Promise<readonly number[]>((resolve) => (resolveIds = resolve));

  /** Follows repeatedly, each time from a position of the previous time. */
  async function follow(seed: number): Promise<number[]> {
    const ids: number[] = [];
    let position = encodePosition(from);
    for (let stretch = 0; ; stretch++) {
      const last = over;
      const stop = new AbortController();
      const following = log.follow({ from: decodePosition(position), signal: stop.signal });
      const until = last ? Number.POSITIVE_INFINITY : 1 + ((seed * 7 + stretch * 13) % 90);
      const expected = last ? (await allIds).length : 0;
      let taken = 0;
      if (last && ids.length === expected) return ids;
      for await (const events of following) {
        for (const event of events.slice(0, until - taken)) {
          ids.push(event.id);
          position = encodePosition(event.position);
          taken++;
        }
        if (taken >= until || (last && ids.length >= expected)) break;
        // Some followers are slow, sometimes so slow that their feed overflows.
        for (let i = 0; i < (seed % 3) * 20; i++) await new Promise(setImmediate);
        if (over && !last) break;
      }
      stop.abort();
      if (last) return ids;
    }
  }
  const rows = async (): Promise<number[]> => {
    const after = sql`select id from events where id > ${first} order by id`;
    return (await database.db.many(Type.Object({ id: Type.Integer() }), after)).map(({ id }) => id);
  };

  const following = Array.from({ length: 6 }, (_, seed) => follow(seed));
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < 120; i++) {
        await writer.run("begin");
        await writer.append(`${w} ${i}`);
        if (i % 5 === 0) await writer.count(`key ${i % 2}`);
        for (let i = 0; i < (w * i) % 11; i++) await new Promise(setImmediate);
        await writer.run(i % 10 === 9 ? "rollback" : "commit");
        wakeUps.wake(eventsTopic);
      }
    }),
  );
  over = true;
  // Followers that wait get this event and see that `over` is true.
  await append("over");
  const ids = await rows();
  resolveIds(ids);
  for (const had of await Promise.all(following)) expect(had.sort((a, b) => a - b)).toEqual(ids);
  await Promise.all(writers.map((writer) => writer.close()));
});
