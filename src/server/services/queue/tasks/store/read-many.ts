// Reads pages of tasks in order of ids: those of a list of ids, and the dependents of a task.
import Type from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { currentStatus } from "../../sql/task-status.ts";

/** A task id with its definition, its status, or both. */
export interface TaskJson<T> {
  readonly task_id: string;
  readonly json: Json<T>;
}
const rowWith = <T>() => Type.Object({ task_id: Type.String(), json: jsonText<T>() });
const DefinitionRow = rowWith<TaskDefinition>();
const StatusRow = rowWith<TaskStatus>();
const DependentRow = rowWith<{ task: TaskDefinition; status: TaskStatus }>();

/** Returns the definitions of the first `limit` tasks that exist among `taskIds`. */
export const definitionsOf = (
  db: Queryable,
  taskIds: readonly string[],
  limit: number,
): Promise<TaskJson<TaskDefinition>[]> =>
  db.many(
    DefinitionRow,
    sql`
    select task_id, definition as json from task_definitions
    where task_id = any(${taskIds}::text[]) order by task_id limit ${limit}`,
  );

/** Returns the statuses of the first `limit` tasks that exist among `taskIds`. */
export const statusesOf = (
  db: Queryable,
  taskIds: readonly string[],
  limit: number,
): Promise<TaskJson<TaskStatus>[]> =>
  db.many(
    StatusRow,
    sql`
    select t.task_id, ${currentStatus} as json from tasks t
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
    DependentRow,
    sql`
    select t.task_id, '{"task":' || d.definition || ',"status":' || ${currentStatus} || '}' as json
    from task_dependencies e
    join tasks t on t.task_id = e.dependent
    join task_definitions d on d.task_id = e.dependent
    where e.required = ${taskId} and e.dependent > ${after} collate "C" and t.expires > ${at}::timestamptz
    order by e.dependent limit ${limit}`,
  );
