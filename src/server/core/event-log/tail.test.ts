import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { manualClock } from "../../../../test/support/clock.ts";
import { systemClock, type Clock } from "../../../lib/clock.ts";
import type { Db } from "../db.ts";
import { appendEvents } from "./index.ts";
import type { LoggedEvent } from "./read.ts";
import { createTail, type Tail, type TailListener } from "./tail.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

interface Recorded extends TailListener {
  readonly had: string[];
  /** Resolves at the next events. */
  next(): Promise<void>;
}

function listener(patienceMs = 0): Recorded {
  const had: string[] = [];
  let arrived = (): void => {};
  return {
    patienceMs,
    had,
    push(events: readonly LoggedEvent[]) {
      had.push(...events.map(({ payload }) => payload));
      if (events.length > 0) arrived();
    },
    fail: (err) => expect.fail(err.message),
    next: () => new Promise((resolve) => (arrived = resolve)),
  };
}

/** Returns a tail that reads only when it is woken. */
function tailOf(db: Db, clock: Clock): { tail: Tail; wake: () => void } {
  let wake = (): void => {};
  const wakeUps = {
    subscribe: (_topic: string, callback: (missed: boolean) => void) => (
      (wake = () => callback(false)),
      () => {}
    ),
  };
  const { monitor } = testMonitor();
  const tail = createTail({ db, wakeUps, clock, monitor, pollMs: 3_600_000 });
  return { tail, wake: () => wake() };
}

it("does not keep a listener that leaves while it is being added", async () => {
  let reading = (): void => {};
  let release = (): void => {};
  let held: Promise<void> | undefined = new Promise((resolve) => (release = resolve));
  const begun = new Promise<void>((resolve) => (reading = resolve));
  // Every statement reaches the database. The first one is delayed.
  const db: Db = {
    ...database.db,
    async many(row, query) {
      reading();
      await held;
      return database.db.many(row, query);
    },
  };
  const { tail, wake } = tailOf(db, systemClock);

  const left = listener();
  let joined = false;
  tail.join(left, () => (joined = true));
  await begun;
  tail.leave(left);
  held = undefined;
  release();
  const stays = listener();
  await new Promise<void>((resolve) => tail.join(stays, () => resolve()));
  const arrived = stays.next();
  await appendEvents(database.db, [{ exchange: "x", routingKey: "k", payload: "event" }]);
  wake();
  await arrived;
  expect(stays.had).toEqual(["event"]);
  expect({ joined, had: left.had }).toEqual({ joined: false, had: [] });
  await tail.stop();
});

it("reads no more often than its least patient listener needs", async () => {
  let reads = 0;
  const db: Db = {
    ...database.db,
    many(row, query) {
      reads++;
      return database.db.many(row, query);
    },
  };
  const clock = manualClock();
  const { tail, wake } = tailOf(db, clock);
  const join = (of: Recorded) => new Promise<void>((resolve) => tail.join(of, () => resolve()));
  const append = async (payload: string): Promise<void> => {
    await appendEvents(database.db, [{ exchange: "x", routingKey: "k", payload }]);
    wake();
  };

  const patient = listener(100);
  await join(patient);
  const before = reads;
  const together = patient.next();
  for (const payload of ["1", "2", "3"]) {
    await append(payload);
    await clock.advance(30);
  }
  expect(reads).toBe(before);
  await clock.advance(10);
  await together;
  expect([patient.had, reads]).toEqual([["1", "2", "3"], before + 1]);

  // A listener that joins during the pause does not wait for its end, nor do its events later.
  const impatient = listener();
  await join(impatient);
  const soon = impatient.next();
  await append("4");
  await clock.advance(5);
  await soon;
  expect([patient.had.at(-1), impatient.had]).toEqual(["4", ["4"]]);
  await tail.stop();
});
