// Reads what cancelTaskGroup has to cancel: the open tasks of a group, and the edges that determine their order.
import Type, { type Static } from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { NO_RUNS, PENDING, RUNNING } from "../../sql/run-indexes.ts";

const OpenRow = Type.Object({
  task_id: Type.String(),
  state: Type.Enum(["unscheduled", "pending", "running"]),
});
export type OpenRow = Static<typeof OpenRow>;

/** Returns unresolved tasks of a group before their deadline, with ids above `after`, in order of ids. */
export const openMembers = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  at: string,
  limit: number,
): Promise<OpenRow[]> =>
  db.many(
    OpenRow,
    sql`
    select t.task_id, coalesce(r.state, 'unscheduled') as state
    from tasks t left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
      and t.deadline > ${at}::timestamptz
      and (t.run_count = ${NO_RUNS} or r.state in (${PENDING}, ${RUNNING}))
    order by t.task_id limit ${limit}`,
  );

const EdgeRow = Type.Object({ dependent: Type.String(), required: Type.String() });
export type EdgeRow = Static<typeof EdgeRow>;

/** Returns edges between unscheduled tasks of a group whose dependent becomes pending if the dependency is canceled. */
export const releasingEdges = (db: Queryable, taskGroupId: string, limit: number): Promise<EdgeRow[]> =>
  db.many(
    EdgeRow,
    sql`
    -- "offset 0" keeps the planner from merging the steps. Otherwise, if the tables were small or had no such edges when
    -- this was planned, it would scan all dependencies, or all pairs of the group's tasks.
    select e.dependent, e.required
    from (
      select task_id from tasks where task_group_id = ${taskGroupId} and run_count = ${NO_RUNS} offset 0
    ) d
    cross join lateral (
      select dependent, required from task_dependencies
      where dependent = d.task_id and required <> d.task_id and any_resolution and not satisfied offset 0
    ) e
    cross join lateral (
      select from tasks where task_id = e.required and task_group_id = ${taskGroupId} and run_count = ${NO_RUNS} offset 0
    ) q
    limit ${limit}`,
  );
