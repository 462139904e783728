// Seals a group.
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { events, groupWords } from "../../sql/event-rows.ts";
import { GroupRow } from "./read-group.ts";

const logSealed = events.taskGroupSealed.publish(groupWords(sql`(g)`), sql`group_message(g)`, {
  from: sql`from sealed`,
});

/**
 * Seals a group, or publishes again that it is sealed. Returns undefined if it does not exist. createTask updates the same
 * row on condition that it is not sealed, so the two are serialized.
 */
export const sealGroup = (db: Queryable, taskGroupId: string, at: string): Promise<GroupRow | undefined> =>
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
