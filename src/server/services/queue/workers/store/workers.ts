// Workers, one at a time and in lists.
import Type, { type Static } from "typebox";
import type { QuarantineDetail } from "../../../../../api/queue/workers.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { sql, type Sql } from "../../../../core/sql.ts";

/** By what a worker is known. */
export interface WorkerKey {
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

const WorkerRow = Type.Object({
  worker_group: Type.String(),
  worker_id: Type.String(),
  first_claim: Timestamp,
  last_date_active: Type.Union([Timestamp, Type.Null()]),
  expires: Timestamp,
  quarantine_until: Timestamp,
  /** The oldest first. */
  quarantine_details: Type.Array(jsonText<QuarantineDetail>()),
  /** `taskId/runId`, the newest last. */
  recent_tasks: Type.Array(Type.String()),
});
export type WorkerRow = Static<typeof WorkerRow>;

const columns: Sql = sql`
  w.worker_group, w.worker_id, w.first_claim, w.last_date_active, w.expires, w.quarantine_until,
  w.quarantine_details, w.recent_tasks`;

const isWorker = ({ taskQueueId, workerGroup, workerId }: WorkerKey): Sql => sql`
  w.task_queue_id = ${taskQueueId} and w.worker_group = ${workerGroup} and w.worker_id = ${workerId}`;

/** A worker is known until it has expired, and for as long as it is in quarantine. */
const isKnown = (at: string): Sql => sql`greatest(w.expires, w.quarantine_until) > ${at}::timestamptz`;

export const isQuarantined = async (db: Queryable, worker: WorkerKey, at: string): Promise<boolean> =>
  (await db.run(
    sql`select from workers w where ${isWorker(worker)} and w.quarantine_until > ${at}::timestamptz`,
  )) > 0;

/** The worker, where its queue is known too. */
export const readWorker = (db: Queryable, worker: WorkerKey, at: string): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    select ${columns} from workers w join task_queues q using (task_queue_id)
    where ${isWorker(worker)} and ${isKnown(at)} and q.expires > ${at}::timestamptz`,
  );

/** Workers of a queue after the one given (two empty texts: from the first), in order of groups and ids. */
export const readWorkers = (
  db: Queryable,
  after: WorkerKey,
  quarantined: boolean | undefined,
  at: string,
  limit: number,
): Promise<WorkerRow[]> =>
  db.many(
    WorkerRow,
    sql`
    select ${columns} from workers w
    where w.task_queue_id = ${after.taskQueueId}
      and (w.worker_group, w.worker_id) > (${after.workerGroup} collate "C", ${after.workerId} collate "C")
      and ${isKnown(at)}
      and (${quarantined ?? null}::boolean is null
        or ${quarantined ?? null} = (w.quarantine_until > ${at}::timestamptz))
    order by w.worker_group, w.worker_id limit ${limit}`,
  );

/**
 * Makes a worker and its queue known, or known for longer. Tables are written in the order in which notes of workers
 * are (worker-notes.ts): the last statement first.
 */
export const declareWorker = (
  db: Queryable,
  worker: WorkerKey,
  expires: string,
  at: string,
): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    with queue as (
      insert into task_queues as q (task_queue_id, last_date_active, expires)
      values (${worker.taskQueueId}, ${at}::timestamptz,
        greatest(${expires}::timestamptz, ${at}::timestamptz + interval '1 day'))
      on conflict (task_queue_id) do update set expires = greatest(q.expires, excluded.expires)
    )
    insert into workers as w (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
    values (${worker.taskQueueId}, ${worker.workerGroup}, ${worker.workerId}, ${at}::timestamptz,
      ${expires}::timestamptz, ${at}::timestamptz - interval '10 years')
    on conflict (task_queue_id, worker_group, worker_id) do update set expires = greatest(w.expires, excluded.expires)
    returning ${columns}`,
  );

/** How many entries of its quarantines a worker keeps, so that somebody's loop does not make its row grow for ever. */
const MAX_DETAILS = 100;

/** Returns undefined if the worker is not known. */
export const quarantineWorker = (
  db: Queryable,
  worker: WorkerKey,
  until: string,
  detail: Json<QuarantineDetail>,
  at: string,
): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    update workers w set quarantine_until = ${until}::timestamptz,
      expires = greatest(w.expires, ${at}::timestamptz + interval '1 day'),
      -- Each entry once: the same one may be set again within a millisecond.
      quarantine_details =
        (array_remove(w.quarantine_details, ${detail}::text) || ${[detail]}::text[])[
          cardinality(w.quarantine_details) + ${2 - MAX_DETAILS}:]
    where ${isWorker(worker)} and ${isKnown(at)}
    returning ${columns}`,
  );

/** Removes workers that expired before `cutoff` and were in no quarantine since; answers how many. */
export const deleteExpiredWorkers = (db: Queryable, cutoff: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select task_queue_id, worker_group, worker_id from workers
      where greatest(expires, quarantine_until) < ${cutoff}::timestamptz
      order by greatest(expires, quarantine_until) limit ${limit} for update skip locked
    )
    delete from workers w using expired e
    where w.task_queue_id = e.task_queue_id and w.worker_group = e.worker_group and w.worker_id = e.worker_id`);
