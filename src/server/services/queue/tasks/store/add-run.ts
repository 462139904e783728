// Adds runs to tasks on request: the first run (scheduleTask) or a further one (rerunTask).
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { NO_RUNS, PENDING, RUNNING } from "../../sql/run-indexes.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { events } from "../../sql/event-rows.ts";
import { pendingIn } from "../../sql/wakes.ts";
import { earlierRuns } from "../../sql/task-status.ts";

const ScheduledRow = Type.Object({ status: jsonText<TaskStatus>(), pending_in: Type.String() });
export type ScheduledRow = Static<typeof ScheduledRow>;

/** The rest of a statement after a CTE `task` (task: its row, with run_count incremented): adds the run and its event. */
const addRun = (reason: "scheduled" | "rerun", at: string) => sql`
    run as (
      insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select (task).task_id, (task).run_count - 1, 'pending', ${reason}, ${at}::timestamptz,
        (task).task_queue_id, (task).priority, (task).deadline
      from task
      returning r as run
    ),
    outcome as (
      select task, run,
        task_status(
          task, concat_ws(',', ${earlierRuns(sql`(run).task_id`, sql`(run).run_id`)}, run_json(run)), 'pending') as status
      from task, run
    ),
    logged as (${logEvents(sql`
      select ${events.taskPending.exchange}, task_routing_key(task, (run).run_id, null, null), (task).routes,
        task_message(status, (task).tags, (run).run_id, null, null, null)
      from outcome`)})
    select status, ${pendingIn(sql`(task).task_queue_id`)} from outcome`;

/** Adds the first run to a task. Returns undefined if it has runs or is past its deadline. */
export function scheduleTask(db: Queryable, taskId: string, at: string): Promise<ScheduledRow | undefined> {
  return db.maybeOne(
    ScheduledRow,
    sql`
    with task as (
      update tasks t set run_count = 1
      where t.task_id = ${taskId} and t.run_count = ${NO_RUNS} and t.deadline > ${at}::timestamptz
      returning t as task
    ),
    ${addRun("scheduled", at)}`,
  );
}

/**
 * Adds a run to a task whose latest run is resolved, or that has none, and restores its retries as far as `maxRuns` allows.
 * Returns undefined if the latest run is open, the runs are used up, the deadline has passed, or the number of runs is no
 * longer `runCount`, as the caller read it.
 */
export function rerunTask(
  db: Queryable,
  taskId: string,
  runCount: number,
  maxRuns: number,
  at: string,
): Promise<ScheduledRow | undefined> {
  return db.maybeOne(
    ScheduledRow,
    sql`
    with task as (
      update tasks t set
        run_count = t.run_count + 1,
        retries_left = least(t.retries, ${maxRuns}::integer - t.run_count - 1)
      where t.task_id = ${taskId} and t.run_count = ${runCount} and t.run_count < ${maxRuns}::integer
        and t.deadline > ${at}::timestamptz
        and not exists (
          select from runs r
          where r.task_id = t.task_id and r.run_id = t.run_count - 1 and r.state in (${PENDING}, ${RUNNING}))
      returning t as task
    ),
    ${addRun("rerun", at)}`,
  );
}
