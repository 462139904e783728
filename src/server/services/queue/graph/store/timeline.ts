// Reads the times of the tasks of a group.
import Type, { type Static } from "typebox";
import type { Run } from "../../../../../api/queue/status.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { earlierRuns } from "../../sql/task-status.ts";
import { parsedDefinition } from "../../sql/parsed-definition.ts";

const TimelineRow = Type.Object({
  task_id: Type.String(),
  created: Type.Union([Timestamp, Type.Null()]),
  runs: jsonText<Run[]>(),
  dependencies: Type.Array(Type.String()),
  /** The dependencies that are not satisfied, and whether a failure would satisfy them too. */
  unmet: Type.Array(Type.String()),
  any_resolution: Type.Boolean(),
});
export type TimelineRow = Static<typeof TimelineRow>;

const runs: Sql = sql`'[' || coalesce(${earlierRuns(sql`t.task_id`, sql`t.run_count`)}, '') || ']' as runs`;

/** Reads tasks of a group with ids above `after`, in order of ids. Each may have ten thousand dependencies. */
export const readTimelinePage = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  limit: number,
): Promise<TimelineRow[]> =>
  db.many(
    TimelineRow,
    sql`
    select t.task_id, t.created, ${runs}, d.dependencies, d.unmet, d.any_resolution
    from tasks t
    cross join lateral (
      select coalesce(array_agg(e.required), '{}') as dependencies,
        coalesce(array_agg(e.required) filter (where not e.satisfied), '{}') as unmet,
        coalesce(bool_or(e.any_resolution), false) as any_resolution
      from task_dependencies e where e.dependent = t.task_id
    ) d
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
    order by t.task_id limit ${limit}`,
  );

/** Reads the tasks of the group among `taskIds`, in no order, without their own dependencies. */
export const readTimelineTasks = (
  db: Queryable,
  taskGroupId: string,
  taskIds: readonly string[],
): Promise<TimelineRow[]> =>
  db.many(
    TimelineRow,
    sql`
    select t.task_id, t.created, ${runs}, '{}'::text[] as dependencies, '{}'::text[] as unmet,
      false as any_resolution
    from tasks t
    where t.task_id = any(${taskIds}::text[]) and t.task_group_id = ${taskGroupId}`,
  );

const NameRow = Type.Object({ task_id: Type.String(), name: jsonText<string>() });

/**
 * Reads the names of tasks from their definitions, which may be large, as JSON: PostgreSQL cannot convert every JSON string
 * to text.
 */
export const readTaskNames = (db: Queryable, taskIds: readonly string[]): Promise<Static<typeof NameRow>[]> =>
  db.many(
    NameRow,
    sql`
    select task_id, (${parsedDefinition(sql`definition`)} -> 'metadata' -> 'name')::text as name
    from task_definitions where task_id = any(${taskIds}::text[])`,
  );
