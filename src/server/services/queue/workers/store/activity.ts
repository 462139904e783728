// Writing what a process noted of workers: who was seen, what they claimed.
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";

/** How many of the tasks that a worker claimed are remembered. */
export const RECENT_TASKS = 20;

/** A worker that asked for work or kept a claim; times are ISO texts. */
export interface SeenWorker {
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** `taskId/runId` of what it claimed, the newest last. */
  readonly recent: readonly string[];
}

/** A queue that was asked for work. */
export interface SeenQueue {
  readonly taskQueueId: string;
  readonly lastSeen: string;
}

/** How many runs of a queue were claimed in a minute, which is named by its beginning. */
export interface ClaimCount {
  readonly taskQueueId: string;
  readonly minute: string;
  readonly claims: number;
}

/**
 * Writes all of it or nothing. Every table is written in the order of its key, so that two processes that do this at
 * once wait for each other and do not deadlock. What expires later than before by less than half an hour is left: an
 * index is on that, and would have to be written with every round.
 */
export const writeNotes = (
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
