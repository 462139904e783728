// Reads groups.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";

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

const SizeRow = Type.Object({ size: Type.Integer() });

/** Counts the tasks of a group, in any state. */
export const groupSize = async (db: Queryable, taskGroupId: string): Promise<number> =>
  (
    await db.maybeOne(
      SizeRow,
      sql`select count(*)::integer as size from tasks where task_group_id = ${taskGroupId}`,
    )
  )?.size ?? 0;
