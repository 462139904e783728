// Publishes events of tasks again when a call is repeated, since the first reply may have been lost.
import type { Queryable } from "../../../../core/db.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { sql, waking, type Sql } from "../../../../core/sql.ts";
import { events, exchangeOfResolution } from "../../sql/event-rows.ts";
import { PENDING } from "../../sql/run-indexes.ts";
import { currentStatus } from "../../sql/task-status.ts";
import { pendingTopic } from "../../sql/wakes.ts";

/** The columns of the event `task-pending` of the run `r` of the task `t`. */
const pendingEvent: Sql = sql`${events.taskPending.exchange}, task_routing_key(t, r.run_id, null, null), t.routes,
        task_message(${currentStatus}, t.tags, r.run_id, null, null, null)`;

/** Claims skip a run while a statement locks it, so the claimers of its queue are woken afterwards. */
const unlocksRunIn = (taskQueueId: string, statement: Sql): Sql =>
  waking(() => [pendingTopic(taskQueueId)], statement);

/**
 * Publishes again that a task is defined and, if it is, pending. The run is locked so that it cannot be claimed before:
 * otherwise the log could have `task-running` before `task-pending`.
 */
export const publishDefinedAgain = (db: Queryable, taskId: string, taskQueueId: string): Promise<number> =>
  db.run(
    unlocksRunIn(
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
      select 2, ${pendingEvent}
      from tasks t join pending r using (task_id)
    )
    ${logEvents(sql`select exchange, routing_key, routes, payload from event order by step`)}`,
    ),
  );

/** Publishes again that the latest run is pending, and locks it as publishDefinedAgain does. */
export const publishPendingAgain = (db: Queryable, taskId: string, taskQueueId: string): Promise<number> =>
  db.run(
    unlocksRunIn(
      taskQueueId,
      sql`
    with pending as (
      select r.task_id, r.run_id from runs r
      where r.task_id = ${taskId} and r.state = ${PENDING} for share of r
    )
    ${logEvents(sql`select ${pendingEvent} from tasks t join pending r using (task_id)`)}`,
    ),
  );

/** Publishes again how a run was resolved. */
export const publishResolvedAgain = (db: Queryable, taskId: string, runId: number): Promise<number> =>
  db.run(
    logEvents(sql`
    select ${exchangeOfResolution(sql`r.state`)},
      task_routing_key(t, r.run_id, r.worker_group, r.worker_id), t.routes,
      task_message(${currentStatus}, t.tags, r.run_id, r.worker_group, r.worker_id, null)
    from tasks t join runs r on r.task_id = t.task_id and r.run_id = ${runId}
    where t.task_id = ${taskId} and r.resolved is not null`),
  );
