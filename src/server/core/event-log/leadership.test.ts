import { afterAll, beforeAll, expect, test } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { until } from "../../../../test/support/until.ts";
import { MAX_AGE_MS } from "../db-sessions.ts";
import { createLeadership } from "./leadership.ts";

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase({ empty: true });
});
afterAll(() => t.drop());

test("locks are lost with a connection that has the greatest age, and can be taken again", async () => {
  const clock = manualClock();
  const leadership = createLeadership({ db: t.db, clock });
  const term = await leadership.take("a");
  await clock.advance(MAX_AGE_MS - 1);
  expect(term?.lost.aborted).toBe(false);
  await until("the lock to be lost", async () => {
    await clock.advance(5_000);
    return term?.lost.aborted === true;
  });
  const next = await leadership.take("a");
  expect(next).toBeDefined();
  await next?.release();
});
