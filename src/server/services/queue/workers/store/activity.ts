// Writes the buffered activity of workers: when they were seen, and what they claimed.
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";

/** The number of recently claimed tasks that are kept of a worker. */
export const RECENT_TASKS = 20;

/** A worker that requested work or renewed a claim. Times are ISO texts. */
export interface SeenWorker {
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** `taskId/runId` of the runs that it claimed, the newest last. */
  readonly recent: readonly string[];
}

/** A queue from which work was requested. */
export interface SeenQueue {
  readonly taskQueueId: string;
  readonly lastSeen: string;
}

/** The number of runs of a queue that were claimed in the minute that begins at `minute`. */
export interface ClaimCount {
  readonly taskQueueId: string;
  readonly minute: string;
  readonly claims: number;
}

/**
 * Writes everything in one statement. Each table is written in the order of its key, so that concurrent writes do not
 * deadlock. `expires` is extended only by half an hour or more, since it is indexed: otherwise every write would also
 * change the index.
 */
export const writeActivity = (
  db: Queryable,
  queues: readonly SeenQueue[],
  workers: readonly SeenWorker[],
  claims: readonly ClaimCount[],
): Promise<number> =>
  db.run(sql`
    with queue as (
      insert into task_queues as q (task_queue_id, last_date_active, expires)
      select task_queue_id, seen, seen + interval '1 day'
      from unnest(${column(queues, "taskQueueId")}::text[], ${column(queues, "lastSeen")}::timestamptz[])
        as i (task_queue_id, seen)
      order by task_queue_id collate "C"
      on conflict (task_queue_id) do update set
        last_date_active = greatest(q.last_date_active, excluded.last_date_active),
        expires = case when excluded.expires > q.expires + interval '30 minutes'
          then excluded.expires else q.expires end
    ),
    claims as (
      insert into task_queue_claims as c (task_queue_id, minute, claims)
      select * from unnest(
        ${column(claims, "taskQueueId")}::text[], ${column(claims, "minute")}::timestamptz[],
        ${column(claims, "claims")}::integer[]
      ) as i (task_queue_id, minute, claims)
      order by task_queue_id collate "C", minute
      on conflict (task_queue_id, minute) do update set claims = c.claims + excluded.claims
    )
    insert into workers as w (
      task_queue_id, worker_group, worker_id, first_claim, last_date_active, expires, quarantine_until, recent_tasks)
    select task_queue_id, worker_group, worker_id, first_seen, last_seen, last_seen + interval '1 day',
      last_seen - interval '10 years', string_to_array(recent, ' ')
    from unnest(
      ${column(workers, "taskQueueId")}::text[], ${column(workers, "workerGroup")}::text[],
      ${column(workers, "workerId")}::text[], ${column(workers, "firstSeen")}::timestamptz[],
      ${column(workers, "lastSeen")}::timestamptz[], ${workers.map((w) => w.recent.join(" "))}::text[]
    ) as i (task_queue_id, worker_group, worker_id, first_seen, last_seen, recent)
    order by task_queue_id collate "C", worker_group collate "C", worker_id collate "C"
    on conflict (task_queue_id, worker_group, worker_id) do update set
      last_date_active = greatest(w.last_date_active, excluded.last_date_active),
      expires = case when excluded.expires > w.expires + interval '30 minutes'
        then excluded.expires else w.expires end,
      recent_tasks = case when excluded.recent_tasks = '{}' then w.recent_tasks else
        (w.recent_tasks || excluded.recent_tasks)[
          cardinality(w.recent_tasks) + cardinality(excluded.recent_tasks) - ${RECENT_TASKS - 1}:] end`);
