import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { systemClock } from "../../../lib/clock.ts";
import type { Db } from "../db.ts";
import { appendEvents } from "./index.ts";
import type { LoggedEvent } from "./read.ts";
import { createTail, type TailListener } from "./tail.ts";

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

function listener(): Recorded {
  const had: string[] = [];
  let arrived = (): void => {};
  return {
    had,
    push(events: readonly LoggedEvent[]) {
      had.push(...events.map(({ payload }) => payload));
      if (events.length > 0) arrived();
    },
    fail: (err) => expect.fail(err.message),
    next: () => new Promise((resolve) => (arrived = resolve)),
  };
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
  let wake = (): void => {};
  const wakeUps = {
    subscribe: (_topic: string, callback: (missed: boolean) => void) => (
      (wake = () => callback(false)),
      () => {}
    ),
  };
  const { monitor } = testMonitor();
  const tail = createTail({ db, wakeUps, clock: systemClock, monitor, pollMs: 3_600_000 });

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
