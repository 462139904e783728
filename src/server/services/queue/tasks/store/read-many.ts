// Reads pages of tasks in order of ids: those of a list of ids, the dependents of a task, and the tasks of a group.
import Type from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { unlessFull } from "../../../../core/pagination.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { DefinitionUnlessFull, definitionUnlessFull } from "../../sql/full-page.ts";
import { currentStatus } from "../../sql/task-status.ts";

/** A task id with its definition, its status, or both; null if the page is full before it. */
export interface TaskJson<T> {
  readonly task_id: string;
  readonly json: Json<T> | null;
}
const rowWith = <T>() =>
  Type.Object({ task_id: Type.String(), json: Type.Union([jsonText<T>(), Type.Null()]) });
const DefinitionRow = Type.Object({ task_id: Type.String(), json: DefinitionUnlessFull });
const StatusRow = rowWith<TaskStatus>();
const TaskRow = rowWith<{ task: TaskDefinition; status: TaskStatus }>();

/** The JSON of a run has at most this many bytes. */
const RUN_BYTES = 350;
const statusBytes: Sql = sql`t.run_count * ${RUN_BYTES}::integer`;

/** The JSON of definition and status of the task `t` with the definition `d`. */
const taskJson: Sql = unlessFull(
  sql`'{"task":' || d.definition || ',"status":' || ${currentStatus} || '}'`,
  sql`octet_length(d.definition) + ${statusBytes}`,
  sql`t.task_id`,
);

/** Returns the definitions of the first `limit` tasks that exist among `taskIds`, up to `room` bytes. */
export const definitionsOf = (
  db: Queryable,
  taskIds: readonly string[],
  limit: number,
  room: number,
): Promise<TaskJson<TaskDefinition>[]> =>
  db.many(
    DefinitionRow,
    sql`
    select d.task_id, ${definitionUnlessFull(sql`d.task_id`, room)} as json
    from task_definitions d
    where d.task_id = any(${taskIds}::text[]) order by d.task_id limit ${limit}`,
  );

/** Returns the statuses of the first `limit` tasks that exist among `taskIds`, up to `room` bytes. */
export const statusesOf = (
  db: Queryable,
  taskIds: readonly string[],
  limit: number,
  room: number,
): Promise<TaskJson<TaskStatus>[]> =>
  db.many(
    StatusRow,
    sql`
    select t.task_id, ${unlessFull(currentStatus, statusBytes, sql`t.task_id`, room)} as json from tasks t
    where t.task_id = any(${taskIds}::text[]) order by t.task_id limit ${limit}`,
  );

/** Returns definition and status of the tasks that depend on `taskId`, have ids above `after` and have not expired. */
export const dependentsOf = (
  db: Queryable,
  taskId: string,
  after: string,
  at: string,
  limit: number,
): Promise<TaskJson<{ task: TaskDefinition; status: TaskStatus }>[]> =>
  db.many(
    TaskRow,
    sql`
    select t.task_id, ${taskJson} as json
    from task_dependencies e
    join tasks t on t.task_id = e.dependent
    join task_definitions d on d.task_id = e.dependent
    where e.required = ${taskId} and e.dependent > ${after} collate "C" and t.expires > ${at}::timestamptz
    order by t.task_id limit ${limit}`,
  );

/** Returns definition and status of the tasks of a group with ids above `after`. */
export const membersOf = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  limit: number,
): Promise<TaskJson<{ task: TaskDefinition; status: TaskStatus }>[]> =>
  db.many(
    TaskRow,
    sql`
    select t.task_id, ${taskJson} as json
    from tasks t join task_definitions d on d.task_id = t.task_id
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
    order by t.task_id limit ${limit}`,
  );
