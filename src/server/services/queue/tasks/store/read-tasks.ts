// Reading tasks and groups.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql, waking, type Sql } from "../../../../core/sql.ts";
import { PENDING } from "../../sql/run-indexes.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events, exchangeOfResolution } from "../../sql/event-rows.ts";
import { pendingTopic } from "../../sql/wakes.ts";
import { earlierRuns } from "../../sql/runs-json.ts";

/** The status of the task `t` as it is. */
export const currentStatus: Sql = sql`task_status(
  t, ${earlierRuns(sql`t.task_id`, sql`t.run_count`)},
  (select r.state from runs r where r.task_id = t.task_id and r.run_id = t.run_count - 1))`;

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

/** The tasks that exist among `taskIds`, in no order. */
export const readTasks = (db: Queryable, taskIds: readonly string[]): Promise<TaskRow[]> =>
  db.many(
    TaskRow,
    sql`
    select t.task_id, t.task_group_id, t.task_queue_id, t.scheduler_id, t.project_id, t.deadline, t.expires,
      t.run_count, ${currentStatus} as status
    from tasks t where t.task_id = any(${taskIds}::text[])`,
  );

const DefinitionRow = Type.Object({ task_id: Type.String(), definition: jsonText<TaskDefinition>() });

/** The definitions that exist among `taskIds`, in no order. */
export const readDefinitions = (
  db: Queryable,
  taskIds: readonly string[],
): Promise<Static<typeof DefinitionRow>[]> =>
  db.many(
    DefinitionRow,
    sql`select task_id, definition from task_definitions where task_id = any(${taskIds}::text[])`,
  );

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

/** Tasks of a group with ids above `after`, in order of ids. */
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

/** The columns of the event that the run `r` of the task `t` is pending. */
const pendingAgain: Sql = sql`${events.taskPending.exchange}, task_routing_key(t, r.run_id, null, null), t.routes,
        task_message(${currentStatus}, t.tags, r.run_id, null, null, null)`;

/** A claim skips a run while a statement holds its lock, so the claimers of its queue look again afterwards. */
const releasesRunIn = (taskQueueId: string, statement: Sql): Sql =>
  waking(() => [pendingTopic(taskQueueId)], statement);

/**
 * Announces again, for a repeated call, that a task is defined and (where it is) pending. The run is locked so that it
 * cannot be claimed before that: the log would have both events in the wrong order.
 */
export const repeatDefined = (db: Queryable, taskId: string, taskQueueId: string): Promise<number> =>
  db.run(
    releasesRunIn(
      taskQueueId,
      sql`
    with pending as (
      select r.task_id, r.run_id from runs r
      where r.task_id = ${taskId} and r.run_id = 0 and r.state = ${PENDING} for share of r
    ),
    event as (
      select 1 as step, ${events.taskDefined.exchange} as exchange,
        task_routing_key(t, null, null, null) as routing_key, t.routes,
        task_message(task_status(t, null, null), t.tags, null, null, null, null) as payload
      from tasks t where t.task_id = ${taskId}
      union all
      select 2, ${pendingAgain}
      from tasks t join pending r using (task_id)
    )
    ${logEvents(sql`select exchange, routing_key, routes, payload from event order by step`)}`,
    ),
  );

/** Announces again, for a repeated call, that the latest run is pending. Locks it as repeatDefined does. */
export const repeatPending = (db: Queryable, taskId: string, taskQueueId: string): Promise<number> =>
  db.run(
    releasesRunIn(
      taskQueueId,
      sql`
    with pending as (
      select r.task_id, r.run_id from runs r
      where r.task_id = ${taskId} and r.state = ${PENDING} for share of r
    )
    ${logEvents(sql`select ${pendingAgain} from tasks t join pending r using (task_id)`)}`,
    ),
  );

/** Announces again, for a repeated call, how a run was resolved. */
export const repeatResolved = (db: Queryable, taskId: string, runId: number): Promise<number> =>
  db.run(
    logEvents(sql`
    select ${exchangeOfResolution(sql`r.state`)},
      task_routing_key(t, r.run_id, r.worker_group, r.worker_id), t.routes,
      task_message(${currentStatus}, t.tags, r.run_id, r.worker_group, r.worker_id, null)
    from tasks t join runs r on r.task_id = t.task_id and r.run_id = ${runId}
    where t.task_id = ${taskId} and r.resolved is not null`),
  );
