// Reads the recent activity of a task queue, to explain why its tasks wait.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { InternalError } from "../../../../../lib/internal-error.ts";

const QueueActivity = Type.Object({
  /** When any worker of the queue was last seen; null if none is known. */
  last_seen: Type.Union([Timestamp, Type.Null()]),
  /** The number of workers that were seen since `seenSince` or hold a run. */
  workers: Type.Integer(),
  /** The number of these in quarantine. */
  quarantined: Type.Integer(),
  /** The number of workers that were seen since `seenSince`. */
  seen_workers: Type.Integer(),
  /** The number of runs claimed since the beginning of the minute of `claimsSince`. */
  recent_claims: Type.Integer(),
});
export type QueueActivity = Static<typeof QueueActivity>;

/** Reads all workers of the queue and its running runs, which takes a millisecond for a thousand of them. */
export async function readQueueActivity(
  db: Queryable,
  taskQueueId: string,
  at: { readonly now: string; readonly seenSince: string; readonly claimsSince: string },
): Promise<QueueActivity> {
  const row = await db.maybeOne(
    QueueActivity,
    sql`
    select max(w.last_date_active) as last_seen,
      count(*) filter (where w.is_seen or w.is_busy) as workers,
      count(*) filter (where (w.is_seen or w.is_busy)
        and w.quarantine_until > ${at.now}::timestamptz) as quarantined,
      count(*) filter (where w.is_seen) as seen_workers,
      (select coalesce(sum(c.claims), 0)::integer from task_queue_claims c
        where c.task_queue_id = ${taskQueueId}
          and c.minute >= date_trunc('minute', ${at.claimsSince}::timestamptz)) as recent_claims
    from (
      select last_date_active, quarantine_until, last_date_active >= ${at.seenSince}::timestamptz as is_seen,
        (worker_group, worker_id) in (
          select worker_group, worker_id from runs
          where task_queue_id = ${taskQueueId} and state = 'running' and taken_until > ${at.now}::timestamptz
        ) as is_busy
      from workers where task_queue_id = ${taskQueueId}
    ) w`,
  );
  if (!row) throw new InternalError("an aggregate always returns one row");
  return row;
}

const LastSeen = Type.Object({ last_seen: Type.Union([Timestamp, Type.Null()]) });

/** Returns when any worker was last seen, except those of the queues that no worker serves. Reads all workers. */
export const readLastSeen = async (db: Queryable): Promise<number | undefined> =>
  (
    await db.maybeOne(
      LastSeen,
      sql`
      select max(last_date_active) as last_seen from workers
      where task_queue_id not like 'built-in/%' and task_queue_id <> 'taskyard/source'`,
    )
  )?.last_seen?.getTime();
