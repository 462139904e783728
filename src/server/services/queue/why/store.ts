// The data from which the state of a task is explained. Every statement is bounded, whatever the size of graph and queue.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { sql } from "../../../core/sql.ts";
import { currentStatus } from "../sql/task-status.ts";
import { fullXid } from "../sql/full-xid.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

const SubjectRow = Type.Object({
  task_id: Type.String(),
  task_group_id: Type.String(),
  task_queue_id: Type.String(),
  /** 1 (lowest) to 7 (highest). */
  priority: Type.Integer(),
  deadline: Timestamp,
  run_count: Type.Integer(),
  unsatisfied: Type.Integer(),
  status: jsonText<TaskStatus>(),
  sealed: Type.Union([Timestamp, Type.Null()]),
  /** The pending position of the latest run. */
  seq: Type.Union([Type.Integer(), Type.Null()]),
  /** Whether a transaction in progress locks the latest run. */
  locked: Type.Boolean(),
});
export type SubjectRow = Static<typeof SubjectRow>;

/**
 * Returns the tasks among `taskIds` that exist, with their groups and latest runs.
 *
 * A row's xmax holds the lower 32 bits of the id of the transaction that last locked it; the row is locked only while that
 * transaction is in progress. (If several transactions share a lock, xmax holds a multixact id. It is mistaken for a
 * transaction in progress only if both counters have the same value at that moment.)
 */
export const readSubjects = (db: Queryable, taskIds: readonly string[]): Promise<SubjectRow[]> =>
  db.many(
    SubjectRow,
    sql`
    select t.task_id, t.task_group_id, t.task_queue_id, t.priority, t.deadline, t.run_count, t.unsatisfied,
      ${currentStatus} as status, g.sealed, r.seq,
      case when age(r.xmax) between 1 and 1000000
        then coalesce(pg_xact_status(${fullXid(sql`r.xmax`)}) = 'in progress', false) else false end as locked
    from tasks t
    left join task_groups g using (task_group_id)
    left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
    where t.task_id = any(${taskIds}::text[])`,
  );

const UnmetRow = Type.Object({
  dependent: Type.String(),
  required: Type.String(),
  any_resolution: Type.Boolean(),
  /** `missing` if the task does not exist. */
  state: Type.String(),
  deadline: Type.Union([Timestamp, Type.Null()]),
  reason_resolved: Type.Union([Type.String(), Type.Null()]),
  /** Whether it is resolved and its many dependents are still being released. */
  releasing: Type.Boolean(),
  /** Whether it was resolved without having been scheduled, so that it waited for dependencies itself. */
  never_scheduled: Type.Boolean(),
});
export type UnmetRow = Static<typeof UnmetRow>;

/**
 * Returns unsatisfied dependencies of the given tasks, first those that cannot be satisfied: at most `limit` in all, chosen
 * from the first `perTask` of each task.
 */
export const readUnmet = (
  db: Queryable,
  dependents: readonly string[],
  perTask: number,
  limit: number,
): Promise<UnmetRow[]> =>
  db.many(
    UnmetRow,
    sql`
    select e.dependent, e.required, e.any_resolution,
      case when q.task_id is null then 'missing' else coalesce(r.state, 'unscheduled') end as state,
      q.deadline, r.reason_resolved,
      exists (select from unfinished_releases u where u.task_id = e.required) as releasing,
      coalesce(r.run_id = 0 and r.reason_created = 'exception', false) as never_scheduled
    from unnest(${dependents}::text[]) with ordinality d (task_id, ord)
    cross join lateral (
      select * from task_dependencies e
      where e.dependent = d.task_id and not e.satisfied order by e.required limit ${perTask}
    ) e
    left join tasks q on q.task_id = e.required
    left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
    order by
      case
        when q.task_id is null then 0
        when r.state in ('failed', 'exception', 'completed') then 1
        when r.state = 'running' then 2
        when r.state = 'pending' then 3
        else 4 end,
      d.ord, e.required
    limit ${limit}`,
  );

const StateCountRow = Type.Object({ state: Type.String(), count: Type.Integer() });

/** Counts the unsatisfied dependencies of a task by their state, which may be `missing`. */
export const countUnmet = (db: Queryable, dependent: string): Promise<Static<typeof StateCountRow>[]> =>
  db.many(
    StateCountRow,
    sql`
    select case when q.task_id is null then 'missing' else coalesce(r.state, 'unscheduled') end as state,
      count(*)::integer as count
    from task_dependencies e
    left join tasks q on q.task_id = e.required
    left join runs r on r.task_id = q.task_id and r.run_id = q.run_count - 1
    where e.dependent = ${dependent} and not e.satisfied
    group by 1 order by 2 desc, 1`,
  );

const PositionRow = Type.Object({
  higher: Type.Integer(),
  same: Type.Integer(),
  /** Running runs of the queue. */
  claimed: Type.Integer(),
});

/**
 * Counts the claimable runs before a pending run in its queue, of a higher and of the same priority, and the running runs
 * of the queue; each up to `cap` + 1. The scan of the index runs_pending has the same bound: runs past their deadline,
 * which claims skip, are subtracted from the rows read.
 */
export async function countAhead(
  db: Queryable,
  of: { readonly taskQueueId: string; readonly priority: number; readonly seq: number },
  cap: number,
  at: string,
): Promise<Static<typeof PositionRow>> {
  const claimable = sql`count(*) filter (where x.deadline > ${at}::timestamptz)::integer`;
  const row = await db.maybeOne(
    PositionRow,
    sql`
    select
      (select ${claimable} from (
        select deadline from runs
        where task_queue_id = ${of.taskQueueId} and state = 'pending' and priority > ${of.priority}::smallint
        order by priority desc, seq limit ${cap + 1}) x) as higher,
      (select ${claimable} from (
        select deadline from runs
        where task_queue_id = ${of.taskQueueId} and state = 'pending' and priority = ${of.priority}::smallint
          and seq < ${of.seq}
        order by priority desc, seq limit ${cap + 1}) x) as same,
      (select count(*)::integer from (
        select from runs where task_queue_id = ${of.taskQueueId} and state = 'running' limit ${cap + 1}) x) as claimed`,
  );
  if (!row) throw new InternalError("a select of scalars returns one row");
  return row;
}
