// Releases dependents in a separate statement, after their dependencies have resolved.
import Type, { type Static } from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { pendingInQueues } from "../../sql/wakes.ts";
import { dependentPending, releaseDependents, unfinished } from "./after-resolution.ts";

const ReleasedRow = Type.Object({
  /** The queues in which dependents became pending. */
  pending_in: Type.Array(Type.String()),
  /** Whether dependents remain. */
  unfinished: Type.Boolean(),
  /** The dependents that became pending. */
  released: Type.Array(Type.String()),
});
export type ReleasedRow = Static<typeof ReleasedRow>;

/** The end of a statement: releases, logs the events and returns a ReleasedRow. `unfinishedColumn` is its column `unfinished`. */
const releasing = (resolved: Sql, at: string, unfinishedColumn: Sql): Sql => sql`
    ${releaseDependents(resolved, at)},
    logged as (${logEvents(
      sql`
      select exchange, routing_key, cc, payload from (select ${dependentPending} from released) e order by routing_key`,
      ({ released }) => Array.isArray(released) && released.length > 0,
    )})
    select ${pendingInQueues(sql`coalesce(array_agg(distinct (run).task_queue_id), '{}')`)}, ${unfinishedColumn},
      coalesce(array_agg((run).task_id), '{}') as released
    from released`;

const one = ([row]: ReleasedRow[]): ReleasedRow => row ?? { pending_in: [], unfinished: false, released: [] };

/** Marks resolved tasks on their dependents, and schedules those without unsatisfied dependencies. */
export const releaseResolved = async (
  db: Queryable,
  required: readonly { readonly taskId: string; readonly state: string }[],
  at: string,
): Promise<ReleasedRow> => {
  const resolved = sql`
      select ${column(required, "taskId")}::text[] as ids, ${column(required, "state")}::text[] as states`;
  return one(await db.many(ReleasedRow, sql`with ${releasing(resolved, at, unfinished)}`));
};

/**
 * Releases the next dependents of one task that has too many for one statement. `unfinished` is true if there was such a
 * task: call this again. Processes that do this concurrently work on different tasks.
 */
export const releaseMore = async (db: Queryable, at: string): Promise<ReleasedRow> => {
  const rows = await db.many(
    ReleasedRow,
    sql`
    with taken as (
      delete from unfinished_releases u
      where (u.task_id, u.state) in (select task_id, state from unfinished_releases limit 1 for update skip locked)
      returning u.task_id, u.state
    ),
    ${releasing(
      sql`select array_agg(task_id) as ids, array_agg(state) as states from taken having count(*) > 0`,
      at,
      sql`(select exists (select from taken)) as unfinished`,
    )}`,
  );
  return one(rows);
};
