// What explains where a task is. Every statement is bounded, whatever the size of the graph or the queue.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { sql } from "../../../core/sql.ts";
import { currentStatus } from "../tasks/store/read-tasks.ts";
import { fullXid } from "../sql/full-xid.ts";

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
  /** Age of the latest run within its priority. */
  seq: Type.Union([Type.Integer(), Type.Null()]),
  /** A transaction that goes on at this moment holds the latest run. */
  held: Type.Boolean(),
});
export type SubjectRow = Static<typeof SubjectRow>;

/**
 * The tasks among `taskIds` that exist, with what is known of their groups and latest runs.
 *
 * Who holds a row stands in its xmax, in 32 bits; that is of now only where it is a transaction in progress. (Where
 * several share the row, xmax counts something else, and by chance may be the number of a transaction in progress: the
 * two counters would have to meet at the very moment.)
 */
export const readSubjects = (db: Queryable, taskIds: readonly string[]): Promise<SubjectRow[]> =>
  db.many(
    SubjectRow,
    sql`
    select t.task_id, t.task_group_id, t.task_queue_id, t.priority, t.deadline, t.run_count, t.unsatisfied,
      ${currentStatus} as status, g.sealed, r.seq,
      case when age(r.xmax) between 1 and 1000000
        then coalesce(pg_xact_status(${fullXid(sql`r.xmax`)}) = 'in progress', false) else false end as held
    from tasks t
    left join task_groups g using (task_group_id)
    left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
    where t.task_id = any(${taskIds}::text[])`,
  );

const UnmetRow = Type.Object({
  dependent: Type.String(),
  required: Type.String(),
  any_resolution: Type.Boolean(),
  /** `missing` where there is no such task. */
  state: Type.String(),
  deadline: Type.Union([Timestamp, Type.Null()]),
  reason_resolved: Type.Union([Type.String(), Type.Null()]),
  /** It is resolved, and its dependents are being released, some hundreds at a time. */
  releasing: Type.Boolean(),
  /** It ended without ever having been scheduled, so it waited for others itself. */
  never_scheduled: Type.Boolean(),
});
export type UnmetRow = Static<typeof UnmetRow>;

/**
 * Dependencies of the given tasks that are not satisfied, the hopeless ones first: at most `limit` in all, chosen from
 * the first `look` of each task.
 */
export const readUnmet = (
  db: Queryable,
  dependents: readonly string[],
  look: number,
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
      where e.dependent = d.task_id and not e.satisfied order by e.required limit ${look}
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

/** How many unsatisfied dependencies a task has, by their state; `missing` is one. */
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
  /** Runs of the queue that workers hold. */
  claimed: Type.Integer(),
});

/**
 * How many claimable runs stand before a pending one in its queue: of a higher priority, and of the same one; and how
 * many of the queue are running. All end at `cap` + 1. The walk along the index runs_pending is bounded too, since runs past their deadline, which are skipped
 * by claims, are counted out of what was walked.
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
  if (!row) throw new Error("a select of scalars answers with a row");
  return row;
}
