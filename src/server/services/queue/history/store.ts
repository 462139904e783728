// Reads tasks and groups in the order of their creation, newest first.
import Type, { type Static } from "typebox";
import { REASONS_RESOLVED, TASK_STATES } from "../../../../api/queue/status.ts";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { unlessFull } from "../../../core/pagination.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import type { TimeRange } from "./newest-first.ts";
import { parsedDefinition } from "../sql/parsed-definition.ts";

const listRow = {
  id: Type.String(),
  created: Timestamp,
  matches: Type.Boolean(),
  bytes: Type.Integer(),
  name: Type.Union([jsonText<string>(), Type.Null()]),
};

/** Limits the rows of an index on `created` and `id`. */
const inRange = (id: Sql, range: TimeRange): Sql => sql`
  created >= ${range.since}::timestamptz
    and (created, ${id}) < (${range.created}::timestamptz, ${range.id} collate "C")`;

/** Reports whether a column has the value, or nothing is required of it. */
const is = (column: Sql, value: string | undefined): Sql =>
  sql`(${value ?? null}::text is null or ${column} = ${value ?? null})`;

/** A name within the definition `d`, as JSON. It is not read if the rows before it (in the order of `order`) have `room` bytes. */
const nameUnlessFull = (name: Sql, order: Sql, room: number): Sql =>
  unlessFull(sql`coalesce((${name})::text, '""')`, sql`octet_length(d.definition)`, order, room);
const definition = parsedDefinition(sql`d.definition`);
const taskName: Sql = sql`${definition} -> 'metadata' -> 'name'`;
const graphName: Sql = sql`${definition} #> '{extra,taskyard,graph}'`;

const TaskRow = Type.Object({
  ...listRow,
  task_group_id: Type.String(),
  task_queue_id: Type.String(),
  scheduler_id: Type.String(),
  project_id: Type.String(),
  state: Type.Enum([...TASK_STATES]),
  started: Type.Union([Timestamp, Type.Null()]),
  resolved: Type.Union([Timestamp, Type.Null()]),
  reason_resolved: Type.Union([Type.Enum([...REASONS_RESOLVED]), Type.Null()]),
});
export type TaskRow = Static<typeof TaskRow>;

export interface TaskFilter {
  readonly states: readonly string[];
  readonly taskQueueId: string | undefined;
  readonly projectId: string | undefined;
  readonly schedulerId: string | undefined;
}

/** Returns the first tasks of a range. The name of a task is read if the others of its properties match. */
export const readTasksByCreation = (
  db: Queryable,
  range: TimeRange,
  filter: TaskFilter,
  count: number,
  room: number,
): Promise<TaskRow[]> =>
  db.many(
    TaskRow,
    sql`
    select t.task_id as id, t.created, t.task_group_id, t.task_queue_id, t.scheduler_id, t.project_id, m.state, r.started,
      r.resolved, r.reason_resolved, m.matches, coalesce(octet_length(d.definition), 0) as bytes,
      ${nameUnlessFull(taskName, sql`t.created desc, t.task_id desc`, room)} as name
    from (
      select * from tasks where ${inRange(sql`task_id`, range)} order by created desc, task_id desc limit ${count}
    ) t
    left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1
    cross join lateral (
      select coalesce(r.state, 'unscheduled') as state,
        coalesce(r.state, 'unscheduled') = any(${filter.states}::text[])
          and ${is(sql`t.task_queue_id`, filter.taskQueueId)}
          and ${is(sql`t.project_id`, filter.projectId)}
          and ${is(sql`t.scheduler_id`, filter.schedulerId)} as matches
    ) m
    left join task_definitions d on d.task_id = t.task_id and m.matches
    order by t.created desc, t.task_id desc`,
  );

const GroupRow = Type.Object({
  ...listRow,
  scheduler_id: Type.String(),
  expires: Timestamp,
  sealed: Type.Union([Timestamp, Type.Null()]),
  unresolved: Type.Integer(),
});
export type GroupRow = Static<typeof GroupRow>;

export interface GroupFilter {
  readonly schedulerId: string | undefined;
  readonly resolved: boolean | undefined;
}

/** Returns the first groups of a range, with the name of the task that stands for the group, or of its graph. */
export const readGroupsByCreation = (
  db: Queryable,
  range: TimeRange,
  filter: GroupFilter,
  count: number,
  room: number,
): Promise<GroupRow[]> =>
  db.many(
    GroupRow,
    sql`
    select g.task_group_id as id, g.created, g.scheduler_id, g.expires, g.sealed, g.unresolved, m.matches,
      coalesce(octet_length(d.definition), 0) as bytes,
      ${nameUnlessFull(
        sql`case when json_typeof(${graphName}) = 'string' then ${graphName} else ${taskName} end`,
        sql`g.created desc, g.task_group_id desc`,
        room,
      )} as name
    from (
      select * from task_groups where ${inRange(sql`task_group_id`, range)}
      order by created desc, task_group_id desc limit ${count}
    ) g
    cross join lateral (
      select ${is(sql`g.scheduler_id`, filter.schedulerId)}
        and coalesce((g.unresolved = 0) = ${filter.resolved ?? null}::boolean, true) as matches
    ) m
    left join task_definitions d on m.matches and d.task_id = coalesce(
      (select task_id from tasks where task_id = g.task_group_id and task_group_id = g.task_group_id),
      (select task_id from tasks where task_group_id = g.task_group_id order by task_id limit 1)
    )
    order by g.created desc, g.task_group_id desc`,
  );
