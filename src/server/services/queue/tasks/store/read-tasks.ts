// Reads tasks and definitions by their ids.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { currentStatus } from "../../sql/task-status.ts";

const TaskRow = Type.Object({
  task_id: Type.String(),
  task_group_id: Type.String(),
  task_queue_id: Type.String(),
  scheduler_id: Type.String(),
  project_id: Type.String(),
  deadline: Timestamp,
  expires: Timestamp,
  run_count: Type.Integer(),
  status: jsonText<TaskStatus>(),
});
export type TaskRow = Static<typeof TaskRow>;

/** Returns the tasks that exist among `taskIds`, in no particular order. */
export const readTasks = (db: Queryable, taskIds: readonly string[]): Promise<TaskRow[]> =>
  db.many(
    TaskRow,
    sql`
    select t.task_id, t.task_group_id, t.task_queue_id, t.scheduler_id, t.project_id, t.deadline, t.expires,
      t.run_count, ${currentStatus} as status
    from tasks t where t.task_id = any(${taskIds}::text[])`,
  );

const DefinitionRow = Type.Object({ task_id: Type.String(), definition: jsonText<TaskDefinition>() });

/** Returns the definitions that exist among `taskIds`, in no particular order. */
export const readDefinitions = (
  db: Queryable,
  taskIds: readonly string[],
): Promise<Static<typeof DefinitionRow>[]> =>
  db.many(
    DefinitionRow,
    sql`select task_id, definition from task_definitions where task_id = any(${taskIds}::text[])`,
  );
