// Reads and changes workers.
import Type, { type Static } from "typebox";
import type { QuarantineDetail } from "../../../../../api/queue/workers.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { sql, type Sql } from "../../../../core/sql.ts";

/** The key of a worker. */
export interface WorkerKey {
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

const listed = {
  worker_group: Type.String(),
  worker_id: Type.String(),
  first_claim: Timestamp,
  last_date_active: Type.Union([Timestamp, Type.Null()]),
  quarantine_until: Timestamp,
};
const WorkerRow = Type.Object({
  ...listed,
  expires: Timestamp,
  /** The oldest first. */
  quarantine_details: Type.Array(jsonText<QuarantineDetail>()),
  /** `taskId/runId`, the newest last. */
  recent_tasks: Type.Array(Type.String()),
});
export type WorkerRow = Static<typeof WorkerRow>;

/** A worker without its quarantine details, of which there may be 400 kB. */
const ListedRow = Type.Object({
  ...listed,
  /** `taskId/runId`, or null. */
  latest_task: Type.Union([Type.String(), Type.Null()]),
});
export type ListedRow = Static<typeof ListedRow>;

const columns: Sql = sql`
  w.worker_group, w.worker_id, w.first_claim, w.last_date_active, w.expires, w.quarantine_until,
  w.quarantine_details, w.recent_tasks`;

const isWorker = ({ taskQueueId, workerGroup, workerId }: WorkerKey): Sql => sql`
  w.task_queue_id = ${taskQueueId} and w.worker_group = ${workerGroup} and w.worker_id = ${workerId}`;

/** A worker is known until it expires, and while it is in quarantine. */
const isKnown = (at: string): Sql => sql`greatest(w.expires, w.quarantine_until) > ${at}::timestamptz`;

export const isQuarantined = async (db: Queryable, worker: WorkerKey, at: string): Promise<boolean> =>
  (await db.run(
    sql`select from workers w where ${isWorker(worker)} and w.quarantine_until > ${at}::timestamptz`,
  )) > 0;

/** Returns the worker if it and its queue are known. */
export const readWorker = (db: Queryable, worker: WorkerKey, at: string): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    select ${columns} from workers w join task_queues q using (task_queue_id)
    where ${isWorker(worker)} and ${isKnown(at)} and q.expires > ${at}::timestamptz`,
  );

/** Returns workers of a queue after the given one (with empty ids: from the first), in order of groups and ids. */
export const readWorkers = (
  db: Queryable,
  after: WorkerKey,
  quarantined: boolean | undefined,
  at: string,
  limit: number,
): Promise<ListedRow[]> =>
  db.many(
    ListedRow,
    sql`
    select w.worker_group, w.worker_id, w.first_claim, w.last_date_active, w.quarantine_until,
      w.recent_tasks[cardinality(w.recent_tasks)] as latest_task
    from workers w
    where w.task_queue_id = ${after.taskQueueId}
      and (w.worker_group, w.worker_id) > (${after.workerGroup} collate "C", ${after.workerId} collate "C")
      and ${isKnown(at)}
      and (${quarantined ?? null}::boolean is null
        or ${quarantined ?? null} = (w.quarantine_until > ${at}::timestamptz))
    order by w.worker_group, w.worker_id limit ${limit}`,
  );

/**
 * Inserts a worker and its queue, or extends their expiration. The queue is written before the worker, as in
 * writeActivity, so that the two do not deadlock.
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

/** The maximum number of quarantine entries of a worker, so that a client in a loop does not let the row grow without limit. */
const MAX_DETAILS = 100;

/** Sets the quarantine of a worker. Returns undefined if the worker is not known. */
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
      -- An identical entry, from the same millisecond, is kept once.
      quarantine_details =
        (array_remove(w.quarantine_details, ${detail}::text) || ${[detail]}::text[])[
          cardinality(w.quarantine_details) + ${2 - MAX_DETAILS}:]
    where ${isWorker(worker)} and ${isKnown(at)}
    returning ${columns}`,
  );

/** Deletes workers whose expiration and quarantine ended before `cutoff`, and returns their number. */
export const deleteExpiredWorkers = (db: Queryable, cutoff: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select task_queue_id, worker_group, worker_id from workers
      where greatest(expires, quarantine_until) < ${cutoff}::timestamptz
      order by greatest(expires, quarantine_until) limit ${limit} for update skip locked
    )
    delete from workers w using expired e
    where w.task_queue_id = e.task_queue_id and w.worker_group = e.worker_group and w.worker_id = e.worker_id`);
