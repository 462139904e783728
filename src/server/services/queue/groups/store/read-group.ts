// Reads groups and their tasks.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { currentStatus } from "../../sql/task-status.ts";

export const GroupRow = Type.Object({
  task_group_id: Type.String(),
  scheduler_id: Type.String(),
  expires: Timestamp,
  sealed: Type.Union([Timestamp, Type.Null()]),
});
export type GroupRow = Static<typeof GroupRow>;

export const readGroup = (db: Queryable, taskGroupId: string): Promise<GroupRow | undefined> =>
  db.maybeOne(
    GroupRow,
    sql`
    select task_group_id, scheduler_id, expires, sealed
    from task_groups where task_group_id = ${taskGroupId}`,
  );

const MemberRow = Type.Object({
  task_id: Type.String(),
  definition: jsonText<TaskDefinition>(),
  status: jsonText<TaskStatus>(),
});
export type MemberRow = Static<typeof MemberRow>;

/** Returns tasks of a group with ids above `after`, in order of ids. */
export const readGroupMembers = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  limit: number,
): Promise<MemberRow[]> =>
  db.many(
    MemberRow,
    sql`
    select t.task_id, d.definition, ${currentStatus} as status
    from tasks t join task_definitions d using (task_id)
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
    order by t.task_id limit ${limit}`,
  );

const SizeRow = Type.Object({ size: Type.Integer() });

/** Counts the tasks of a group, in any state. */
export const groupSize = async (db: Queryable, taskGroupId: string): Promise<number> =>
  (
    await db.maybeOne(
      SizeRow,
      sql`select count(*)::integer as size from tasks where task_group_id = ${taskGroupId}`,
    )
  )?.size ?? 0;
