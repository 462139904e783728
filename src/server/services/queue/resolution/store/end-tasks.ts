// Resolves tasks without a worker's report: canceled tasks, and tasks past their deadline.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { PENDING, RUNNING, openByDeadline } from "../../sql/run-indexes.ts";
import { events } from "../../sql/event-rows.ts";
import { pendingInQueues } from "../../sql/wakes.ts";
import { earlierRuns } from "../../sql/task-status.ts";
import { afterResolution, unfinished } from "./after-resolution.ts";

const EndedRow = Type.Object({
  task_id: Type.String(),
  status: jsonText<TaskStatus>(),
  task_queue_id: Type.String(),
  /** All queues in which the statement made runs pending; the same in every row. */
  pending_in: Type.Union([Type.Array(Type.String()), Type.Null()]),
  /** Whether dependents remain for releaseMore; the same in every row. */
  unfinished: Type.Boolean(),
  /** Dependents that became pending, if `withReleased`; the same in every row. */
  released: Type.Union([Type.Array(Type.String()), Type.Null()]),
});
export type EndedRow = Static<typeof EndedRow>;

const pendingInWoken = pendingInQueues(sql`(select queues from woken)`);

/**
 * Resolves unresolved tasks as `exception` with `reason`, and returns those that it resolved. An unscheduled task gets a
 * run in this state. A task that got a new run while this waited for its lock is not resolved: call this again.
 *
 * With `namesWorker` the events contain the worker of the run.
 */
export function endTasks(
  db: Queryable,
  taskIds: readonly string[],
  reason: "canceled" | "deadline-exceeded",
  at: string,
  namesWorker: boolean,
  withReleased = false,
): Promise<EndedRow[]> {
  return db.many(
    EndedRow,
    sql`
    with locked as (
      select t.task_id, t.run_count, t as task from tasks t
      where t.task_id = any(${taskIds}::text[]) order by t.task_id for no key update of t
    ),
    resolved as (
      update runs r set state = 'exception', reason_resolved = ${reason}, resolved = ${at}::timestamptz
      from locked l
      where r.task_id = l.task_id and r.run_id = l.run_count - 1 and r.state in (${PENDING}, ${RUNNING})
      returning l.task, r as run
    ),
    never_scheduled as (
      update tasks t set run_count = 1
      from locked l where t.task_id = l.task_id and l.run_count = 0
      returning t as task
    ),
    exception_run as (
      insert into runs as r (
        task_id, run_id, state, reason_created, reason_resolved, scheduled, resolved,
        task_queue_id, priority, deadline
      )
      select (task).task_id, 0, 'exception', 'exception', ${reason}, ${at}::timestamptz, ${at}::timestamptz,
        (task).task_queue_id, (task).priority, (task).deadline
      from never_scheduled
      returning r as run
    ),
    outcome as (
      select task, run,
        task_status(
          task, concat_ws(',', ${earlierRuns(sql`(run).task_id`, sql`(run).run_id`)}, run_json(run)), 'exception') as status,
        row_number() over (order by (run).task_id) as ord
      from (
        select task, run from resolved
        union all
        -- Two arrays in the same order instead of a join, which would compare every pair.
        select unnest((select array_agg(task order by (task).task_id) from never_scheduled)),
          unnest((select array_agg(run order by (run).task_id) from exception_run))
      ) e
    ),
    final as (select (run).task_id, (run).run_id, (run).state, (task).task_group_id from outcome),
    own_event as (
      select ord, 1 as step, ${events.taskException.exchange} as exchange,
        task_routing_key(
          task, (run).run_id,
          case when ${namesWorker} then (run).worker_group end, case when ${namesWorker} then (run).worker_id end
        ) as routing_key,
        (task).routes as cc,
        task_message(
          status, (task).tags, (run).run_id,
          case when ${namesWorker} then (run).worker_group end, case when ${namesWorker} then (run).worker_id end,
          null
        ) as payload
      from outcome
    ),
    ${afterResolution(at, withReleased)}
    select (o.run).task_id as task_id, o.status, (o.task).task_queue_id as task_queue_id,
      ${pendingInWoken},
      ${unfinished}, (select task_ids from woken) as released
    from outcome o order by o.ord`,
  );
}

/** Returns unresolved tasks whose deadline is before `before`, in order of deadlines. */
export function tasksPastDeadline(
  db: Queryable,
  before: string,
  limit: number,
): Promise<{ task_id: string }[]> {
  return db.many(
    PastDeadlineRow,
    sql`
    select task_id from (
      (select r.task_id, r.deadline from runs r
        where ${openByDeadline} and r.deadline < ${before}::timestamptz
        order by r.deadline limit ${limit})
      union all
      (select task_id, deadline from tasks
        where run_count = 0 and deadline < ${before}::timestamptz
        order by deadline limit ${limit})
    ) past order by deadline limit ${limit}`,
  );
}
const PastDeadlineRow = Type.Object({ task_id: Type.String() });
