// Changes priorities: of the task, of its run if it is pending, and in the text of the definition.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { Priority } from "../../../../api/queue/task.ts";
import type { Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { sql, waking, type Sql } from "../../../core/sql.ts";
import { noEvent } from "../sql/no-event.ts";
import { PENDING } from "../sql/run-indexes.ts";
import { column } from "../../../core/columns.ts";
import { logEvents } from "../../../core/event-log/index.ts";
import { events } from "../sql/event-rows.ts";
import { pendingIn, reorderedTopic } from "../sql/wakes.ts";
import { earlierRuns } from "../sql/task-status.ts";

export interface PriorityChange {
  readonly taskId: string;
  /** 1 (lowest) to 7 (highest). */
  readonly priority: number;
  /** Whether an event for this task is logged. */
  readonly announce: boolean;
}

const ChangedRow = Type.Object({
  task_id: Type.String(),
  status: jsonText<TaskStatus>(),
  /** The name of the previous priority. */
  old_priority: Type.String(),
});
export type ChangedRow = Static<typeof ChangedRow>;

/**
 * Whether the task `t` was ever resolved: its latest run is, or it has a run after the first that rerunTask added, since
 * only a resolved task can be rerun.
 */
const everResolved: Sql = sql`exists (
      select from runs r where r.task_id = t.task_id
        and (r.run_id = t.run_count - 1 and r.state in ('completed', 'failed', 'exception')
          or r.run_id > 0 and r.reason_created = 'rerun'))`;

/**
 * Locks the tasks and their pending runs until the transaction ends. (Claims do not lock tasks, so a run is claimed either
 * before the change, or after it with the new priority.) Claims skip locked runs, so the claimers of their queues are woken
 * when the transaction ends, even if it fails.
 */
export async function lockForPriority(tx: Queryable, taskIds: readonly string[]): Promise<void> {
  await tx.run(sql`
    select task_id from tasks where task_id = any(${taskIds}::text[]) order by task_id for no key update`);
  await tx.run(
    waking(
      () => [reorderedTopic],
      sql`
    select ${pendingIn(sql`r.task_queue_id`)}
    from (select task_id, run_count from tasks where task_id = any(${taskIds}::text[]) order by task_id) t
    -- Lateral, so that each run is looked up by its id, whatever sizes of the tables the planner assumes.
    cross join lateral (
      select task_queue_id from runs
      where task_id = t.task_id and run_id = t.run_count - 1 and state = ${PENDING} for no key update
    ) r`,
    ),
  );
}

/**
 * Changes the priorities of tasks that were never resolved, are before their deadline and have a different one, and returns
 * these tasks. Call it after `lockForPriority`, in the same transaction: a separate statement sees everything that happened
 * before the locks were taken, which a statement that waited for the locks would not.
 */
export function changePriorities(
  tx: Queryable,
  changes: readonly PriorityChange[],
  at: string,
): Promise<ChangedRow[]> {
  return tx.many(
    ChangedRow,
    sql`
    with input as (
      select * from unnest(
        ${column(changes, "taskId")}::text[], ${column(changes, "priority")}::smallint[],
        ${column(changes, "announce")}::boolean[]
      ) with ordinality as i (task_id, priority, announce, ord)
    ),
    target as (
      select i.*, t.priority as old_priority, t.run_count
      from input i join tasks t using (task_id)
      where t.priority <> i.priority and t.deadline > ${at}::timestamptz and not ${everResolved}
    ),
    changed as (
      update tasks t set priority = x.priority from target x where t.task_id = x.task_id
      returning x.ord, x.announce, x.old_priority, t as task
    ),
    -- The first match is the definition's own member: only strings, in which quotes are escaped, and arrays of strings
    -- precede it.
    defined as (
      update task_definitions d set ${noEvent}, definition = regexp_replace(
        d.definition, '"priority":"[a-z-]+"', '"priority":"' || priority_name(x.priority) || '"')
      from target x where d.task_id = x.task_id
    ),
    requeued as (
      update runs r set priority = x.priority, ${noEvent} from target x
      where r.task_id = x.task_id and r.run_id = x.run_count - 1 and r.state = ${PENDING}
    ),
    outcome as (
      select c.*,
        task_status(
          c.task, ${earlierRuns(sql`(c.task).task_id`, sql`(c.task).run_count`)},
          (select r.state from runs r where r.task_id = (c.task).task_id and r.run_id = (c.task).run_count - 1)
        ) as status
      from changed c
    ),
    logged as (${logEvents(sql`
      select ${events.taskPriorityChanged.exchange}, task_routing_key(task, null, null, null), (task).routes,
        '{"status":' || status || ',"oldPriority":"' || priority_name(old_priority)
          || '","newPriority":"' || priority_name((task).priority) || '","version":1}'
      from outcome where announce order by ord`)})
    select (task).task_id as task_id, status, priority_name(old_priority) as old_priority from outcome order by ord`,
  );
}

const MemberRow = Type.Object({ task_id: Type.String() });

/** Returns tasks of a group whose priority can be changed to `priority`, with ids above `after`, in order of ids. */
export const changeableMembers = (
  db: Queryable,
  taskGroupId: string,
  after: string,
  priority: number,
  at: string,
  limit: number,
): Promise<Static<typeof MemberRow>[]> =>
  db.many(
    MemberRow,
    sql`
    select t.task_id from tasks t
    where t.task_group_id = ${taskGroupId} and t.task_id > ${after} collate "C"
      and t.priority <> ${priority}::smallint and t.deadline > ${at}::timestamptz and not ${everResolved}
    order by t.task_id limit ${limit}`,
  );

/** Logs the event that the priority of a group's tasks was changed. */
export const logGroupPriority = (
  db: Queryable,
  group: { readonly task_group_id: string; readonly scheduler_id: string },
  newPriority: Priority,
  tasksAffected: number,
): Promise<number> => {
  const { task_group_id: taskGroupId, scheduler_id: schedulerId } = group;
  const message = { taskGroupId, schedulerId, newPriority, tasksAffected, version: 1 } as const;
  return db.run(events.taskGroupPriorityChanged.publish({ taskGroupId, schedulerId }, message));
};
