// Checks that the database can do its work: it replies, accepts writes, and its disk has space.
import { Type } from "typebox";
import type { Clock } from "../../lib/clock.ts";
import type { Db } from "./db.ts";
import { sql } from "./sql.ts";

const State = Type.Object({ writable: Type.Boolean() });

// With so little memory the rows are written to a temporary file of half a megabyte, so a full disk fails the statement.
// Inserting into a table was rejected: each check would write to the log of the database and leave a dead row, and an
// insert succeeds as long as the last page of the table has room. Measured: 4 ms.
const littleMemory = sql`set local work_mem = '64kB'`;
const state = sql`
  select not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool) as writable
  from (select count(*) from generate_series(1, 20000)) spilled`;
// The error of a real write, so that sessions which are read-only for no reason any more are replaced by it, also where
// nothing else writes.
const refusal = sql`
  do $$ begin raise read_only_sql_transaction using message = 'the database accepts no writes'; end $$`;

// Load balancers and strangers may request it as often as they like.
const validMs = 1_000;

/** Returns a function that throws DatabaseUnavailable, with the outage. Concurrent and frequent calls share a check. */
export function databaseCheck(db: Db, clock: Clock): () => Promise<void> {
  let current: Promise<void> | undefined;
  let settledAt: number | undefined;

  const check = (): Promise<void> =>
    db.tx(async (tx) => {
      await tx.run(littleMemory);
      const row = await tx.maybeOne(State, state);
      if (row?.writable !== true) await tx.run(refusal);
    });

  function start(): Promise<void> {
    settledAt = undefined;
    const settled = (): void => void (settledAt = clock.now());
    const started = check();
    started.then(settled, settled);
    return started;
  }

  /** Also false after the clock was set back, so that no reply is kept for longer. */
  const isValid = (): boolean => {
    const age = settledAt === undefined ? 0 : clock.now() - settledAt;
    return age >= 0 && age < validMs;
  };

  return () => (current = current && isValid() ? current : start());
}
