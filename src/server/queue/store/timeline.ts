// Reading when what happened to the tasks of a group.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../core/db.ts";
import { sql, type Sql } from "../../core/sql.ts";
import { earlierRuns } from "./runs-json.ts";

const TimelineRow = Type.Object({
  task_id: Type.String(),
  created: Type.Union([Timestamp, Type.Null()]),
  /** JSON texts joined by commas. */
  runs: Type.Union([Type.String(), Type.Null()]),
  dependencies: Type.Array(Type.String()),
  /** Those of them that are not met, and whether a failure would meet them, too. */
  unmet: Type.Array(Type.String()),
  any_resolution: Type.Boolean(),
});
export type TimelineRow = Static<typeof TimelineRow>;

const columns: Sql = sql`t.task_id, t.created, ${earlierRuns(sql`t.task_id`, sql`t.run_count`)} as runs,
      array(select e.required from task_dependencies e where e.dependent = t.task_id) as dependencies,
      array(
        select e.required from task_dependencies e where e.dependent = t.task_id and not e.satisfied) as unmet,
      exists (select from task_dependencies e where e.dependent = t.task_id and e.any_resolution) as any_resolution`;

/** Tasks of a group with ids above `after`, in order of ids. */
export const readTimelinePage = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  limit: number,
): Promise<TimelineRow[]> =>
  db.many(
    TimelineRow,
    sql`
    select ${columns} from tasks t
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
    order by t.task_id limit ${limit}`,
  );

/** Those of the group among `taskIds`, in no order. */
export const readTimelineTasks = (
  db: Queryable,
  taskGroupId: string,
  taskIds: readonly string[],
): Promise<TimelineRow[]> =>
  db.many(
    TimelineRow,
    sql`
    select ${columns} from tasks t
    where t.task_id = any(${taskIds}::text[]) and t.task_group_id = ${taskGroupId}`,
  );
