// The events of the queue, which its statements insert together with the state change.
import { queueApi } from "../../../../api/queue/index.ts";
import { publishersOf } from "../../../core/event-log/index.ts";
import { sql, type Sql } from "../../../core/sql.ts";

/** Publishers of the queue's events, by the names of their exchanges in the contract. */
export const events = publishersOf(queueApi);

/** The exchange for a resolved run of this state. */
export const exchangeOfResolution = (state: Sql): Sql => sql`case ${state}
  when 'completed' then ${events.taskCompleted.exchange}
  when 'failed' then ${events.taskFailed.exchange}
  else ${events.taskException.exchange} end`;

/** The words of the routing keys of a group's events. */
export const groupWords = (group: Sql) => ({
  taskGroupId: sql`${group}.task_group_id`,
  schedulerId: sql`${group}.scheduler_id`,
});

/** The words of the routing keys of a task's events that do not depend on a run. */
export const taskWords = (task: Sql) => ({
  taskId: sql`${task}.task_id`,
  provisionerId: sql`split_part(${task}.task_queue_id, '/', 1)`,
  workerType: sql`split_part(${task}.task_queue_id, '/', 2)`,
  schedulerId: sql`${task}.scheduler_id`,
  taskGroupId: sql`${task}.task_group_id`,
});
