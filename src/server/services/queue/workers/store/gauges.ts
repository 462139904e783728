// Counts of all queues in one statement, for metrics and the overview.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { pendingByDeadline, runningByClaimEnd } from "../../sql/run-indexes.ts";

const TaskCounts = Type.Object({
  task_queue_id: Type.String(),
  pending: Type.Integer(),
  claimed: Type.Integer(),
  /** When a worker of the queue was last seen; null if the queue is not known. */
  last_date_active: Type.Union([Timestamp, Type.Null()]),
});

/**
 * Returns the counts of every queue that is known or has tasks. As in the counts of one queue (queue-tasks.ts), pending and
 * running runs are counted in their indexes, and those past their deadline or claim are subtracted.
 */
export const readTaskCounts = (db: Queryable, at: string): Promise<Static<typeof TaskCounts>[]> =>
  db.many(
    TaskCounts,
    sql`
    select task_queue_id, sum(pending)::integer as pending, sum(claimed)::integer as claimed,
      max(last_date_active) as last_date_active
    from (
      select task_queue_id, 0 as pending, 0 as claimed, last_date_active from task_queues where expires > ${at}::timestamptz
      union all
      select task_queue_id, count(*), 0, null from runs where state = 'pending' group by task_queue_id
      union all
      select r.task_queue_id, -count(*), 0, null from runs r
      where ${pendingByDeadline} and r.deadline <= ${at}::timestamptz group by r.task_queue_id
      union all
      select task_queue_id, 0, count(*), null from runs where state = 'running' group by task_queue_id
      union all
      select r.task_queue_id, 0, -count(*), null from runs r
      where ${runningByClaimEnd} and r.taken_until <= ${at}::timestamptz group by r.task_queue_id
    ) c
    group by task_queue_id`,
  );

const WorkerCounts = Type.Object({
  task_queue_id: Type.String(),
  workers: Type.Integer(),
  quarantined: Type.Integer(),
  running: Type.Integer(),
});

/** Returns the counts of every queue with known workers. A worker with several runs counts once. */
export const readWorkerCounts = (db: Queryable, at: string): Promise<Static<typeof WorkerCounts>[]> =>
  db.many(
    WorkerCounts,
    sql`
    with known as (
      select task_queue_id, count(*) as workers,
        count(*) filter (where quarantine_until > ${at}::timestamptz) as quarantined
      from workers where greatest(expires, quarantine_until) > ${at}::timestamptz
      group by task_queue_id
    ),
    running as (
      -- Not count(distinct (group, id)), since comparing records takes ten times as long as comparing columns.
      select task_queue_id, count(*) as running
      from (
        select distinct task_queue_id, worker_group, worker_id
        from runs where state = 'running' and taken_until > ${at}::timestamptz
      ) r
      group by task_queue_id
    )
    select task_queue_id, k.workers, k.quarantined, coalesce(r.running, 0) as running
    from known k left join running r using (task_queue_id)`,
  );
