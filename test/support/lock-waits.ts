// Statements that wait for a lock, for tests of races.
import { sql } from "../../src/server/core/sql.ts";
import type { Queryable } from "../../src/server/core/db.ts";
import { until } from "./until.ts";

/** Waits until so many statements wait for a lock in the database. */
export const untilLockWaits = (db: Queryable, count = 1): Promise<true> =>
  until(`${count} statements to wait for a lock`, async () => {
    const waiting = await db.run(sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return waiting >= count;
  });
