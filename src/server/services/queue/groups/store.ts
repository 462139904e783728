// Acting on a group: sealing it, and finding what of it is left to cancel.
import Type, { type Static } from "typebox";
import type { Queryable } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import { NO_RUNS, PENDING, RUNNING } from "../sql/run-indexes.ts";
import { events, groupWords } from "../sql/event-rows.ts";
import { GroupRow } from "../tasks/store/read-tasks.ts";

const logSealed = events.taskGroupSealed.publish(groupWords(sql`(g)`), sql`group_message(g)`, {
  from: sql`from sealed`,
});

/**
 * Seals a group, or says again that it is sealed; undefined where there is none. createTask counts its task on the
 * same row, under the condition that it is not sealed: of both, one comes first.
 */
export const sealGroup = (
  db: Queryable,
  taskGroupId: string,
  at: string,
): Promise<Static<typeof GroupRow> | undefined> =>
  db.maybeOne(
    GroupRow,
    sql`
    with sealed as (
      update task_groups g set sealed = coalesce(g.sealed, ${at}::timestamptz)
      where g.task_group_id = ${taskGroupId}
      returning g
    ),
    logged as (${logSealed})
    select (g).task_group_id as task_group_id, (g).scheduler_id as scheduler_id, (g).expires as expires,
      (g).sealed as sealed
    from sealed`,
  );

const SizeRow = Type.Object({ size: Type.Integer() });

/** How many tasks the group has, in whatever state. */
export const groupSize = async (db: Queryable, taskGroupId: string): Promise<number> =>
  (
    await db.maybeOne(
      SizeRow,
      sql`select count(*)::integer as size from tasks where task_group_id = ${taskGroupId}`,
    )
  )?.size ?? 0;

const OpenRow = Type.Object({
  task_id: Type.String(),
  state: Type.Enum(["unscheduled", "pending", "running"]),
});
export type OpenRow = Static<typeof OpenRow>;

/** Tasks of a group that are not resolved and before their deadline, with ids above `after`, in order of ids. */
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

/** The edges between unscheduled tasks of a group along which a cancel of one makes the other pending. */
export const releasingEdges = (db: Queryable, taskGroupId: string, limit: number): Promise<EdgeRow[]> =>
  db.many(
    EdgeRow,
    sql`
    -- Step by step (offset 0 keeps them apart): otherwise tables that were small, or had no such edges, when this was
    -- planned make it a walk over all dependencies that there are, or over all pairs of the group's tasks.
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
