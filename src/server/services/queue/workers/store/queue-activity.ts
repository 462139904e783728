// Reads the recent activity of a task queue, to explain why its tasks wait.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";

const QueueActivity = Type.Object({
  /** When any worker of the queue was last seen; null if none is known. */
  last_seen: Type.Union([Timestamp, Type.Null()]),
  /** The number of workers seen since `recently`. */
  recent_workers: Type.Integer(),
  /** The number of these in quarantine. */
  recent_quarantined: Type.Integer(),
  /** The number of runs claimed since the beginning of the minute of `recently`. */
  recent_claims: Type.Integer(),
});
export type QueueActivity = Static<typeof QueueActivity>;

/** Reads all workers of the queue, which takes a millisecond for a thousand of them. */
export async function readQueueActivity(
  db: Queryable,
  taskQueueId: string,
  at: string,
  recently: string,
): Promise<QueueActivity> {
  const row = await db.maybeOne(
    QueueActivity,
    sql`
    select max(w.last_date_active) as last_seen,
      count(*) filter (where w.last_date_active >= ${recently}::timestamptz) as recent_workers,
      count(*) filter (where w.last_date_active >= ${recently}::timestamptz
        and w.quarantine_until > ${at}::timestamptz) as recent_quarantined,
      (select coalesce(sum(c.claims), 0)::integer from task_queue_claims c
        where c.task_queue_id = ${taskQueueId}
          and c.minute >= date_trunc('minute', ${recently}::timestamptz)) as recent_claims
    from workers w where w.task_queue_id = ${taskQueueId}`,
  );
  if (!row) throw new Error("an aggregate always returns one row");
  return row;
}

const LastSeen = Type.Object({ last_seen: Type.Union([Timestamp, Type.Null()]) });

/** Returns when any worker was last seen, except those of the queues `built-in/…`. Reads all workers. */
export const readLastSeen = async (db: Queryable): Promise<number | undefined> =>
  (
    await db.maybeOne(
      LastSeen,
      sql`select max(last_date_active) as last_seen from workers where task_queue_id not like 'built-in/%'`,
    )
  )?.last_seen?.getTime();
