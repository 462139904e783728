// Resolves running runs: reports of workers, and expired claims.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { column } from "../../../../core/columns.ts";
import { events, exchangeOfResolution } from "../../sql/event-rows.ts";
import { RUNNING } from "../../sql/run-indexes.ts";
import { pendingInQueues } from "../../sql/wakes.ts";
import { earlierRuns } from "../../sql/task-status.ts";
import { afterResolution, unfinished } from "./after-resolution.ts";

export interface Resolution {
  readonly taskId: string;
  readonly runId: number;
  readonly state: "completed" | "failed" | "exception";
  readonly reason: string;
  /** If set, a new run with this reason follows while the task has retries left. */
  readonly retryAs: "retry" | "task-retry" | null;
  /** If set, the run is resolved only if its claim ends at this time, so not if it was reclaimed. */
  readonly takenUntil: string | null;
}

const ResolvedRow = Type.Object({
  /** Position in the input, from 1. */
  ord: Type.Integer(),
  status: jsonText<TaskStatus>(),
  task_queue_id: Type.String(),
  /** All queues in which the statement made runs pending; the same in every row. */
  pending_in: Type.Union([Type.Array(Type.String()), Type.Null()]),
  /** Whether dependents remain for releaseMore; the same in every row. */
  unfinished: Type.Boolean(),
  /** Dependents that became pending, if `withReleased`; the same in every row. */
  released: Type.Union([Type.Array(Type.String()), Type.Null()]),
});
export type ResolvedRow = Static<typeof ResolvedRow>;

const pendingInWokenOrRetry = pendingInQueues(sql`(select array_agg(q) from (
        select unnest(queues) as q from woken union select (run).task_queue_id from retry
      ) q)`);

/**
 * Resolves running runs, adds their retries and releases dependents. Returns the runs that it resolved, in no particular
 * order. A run that is not running, or whose claim was renewed, is not resolved.
 */
export function resolveRuns(
  db: Queryable,
  resolutions: readonly Resolution[],
  at: string,
  withReleased = false,
): Promise<ResolvedRow[]> {
  return db.many(
    ResolvedRow,
    sql`
    with input as (
      select * from unnest(
        ${column(resolutions, "taskId")}::text[], ${column(resolutions, "runId")}::smallint[],
        ${column(resolutions, "state")}::text[], ${column(resolutions, "reason")}::text[],
        ${column(resolutions, "retryAs")}::text[], ${column(resolutions, "takenUntil")}::timestamptz[]
      ) with ordinality as i (task_id, run_id, state, reason, retry_as, taken_until, ord)
    ),
    -- Every transition except claims takes this lock. The order prevents deadlocks between batches. The following CTEs use
    -- the row that is returned here: a second lookup would return the version from before the wait for the lock.
    locked as (
      select i.*, t as task
      from input i join tasks t using (task_id) order by t.task_id for no key update of t
    ),
    resolved as (
      update runs r set state = l.state, reason_resolved = l.reason, resolved = ${at}::timestamptz
      from locked l
      where r.task_id = l.task_id and r.run_id = l.run_id and r.state = ${RUNNING}
        and (l.taken_until is null or r.taken_until = l.taken_until)
      returning l.ord, l.task, r as run, case when (l.task).retries_left > 0 then l.retry_as end as retry_as
    ),
    retried as (
      update tasks t set retries_left = t.retries_left - 1, run_count = t.run_count + 1
      from resolved x where t.task_id = (x.run).task_id and x.retry_as is not null
      returning x.ord, t as task, x.retry_as
    ),
    retry as (
      insert into runs as r (task_id, run_id, state, reason_created, scheduled, task_queue_id, priority, deadline)
      select (task).task_id, (task).run_count - 1, 'pending', retry_as, ${at}::timestamptz,
        (task).task_queue_id, (task).priority, (task).deadline
      from retried order by ord
      returning r as run
    ),
    ended as (
      select x.ord, coalesce(n.task, x.task) as task, x.run, y.run as retry
      from resolved x
      left join retried n on n.ord = x.ord
      left join retry y on (y.run).task_id = (x.run).task_id
    ),
    outcome as (
      select ord, task, run, retry,
        task_status(
          task,
          concat_ws(',', ${earlierRuns(sql`(run).task_id`, sql`(run).run_id`)}, run_json(run), run_json(retry)),
          coalesce((retry).state, (run).state)
        ) as status
      from ended
    ),
    final as (
      select (run).task_id, (run).run_id, (run).state, (task).task_group_id from ended where (retry).task_id is null
    ),
    own_event as (
      select ord, 1 as step, ${exchangeOfResolution(sql`(run).state`)} as exchange,
        task_routing_key(task, (run).run_id, (run).worker_group, (run).worker_id) as routing_key,
        (task).routes as cc,
        task_message(status, (task).tags, (run).run_id, (run).worker_group, (run).worker_id, null) as payload
      from outcome
      union all
      select ord, 2, ${events.taskPending.exchange}, task_routing_key(task, (retry).run_id, null, null),
        (task).routes, task_message(status, (task).tags, (retry).run_id, null, null, null)
      from outcome where (retry).task_id is not null
    ),
    ${afterResolution(at, withReleased)}
    select ord::integer, status, (task).task_queue_id as task_queue_id,
      ${pendingInWokenOrRetry},
      ${unfinished}, (select task_ids from woken) as released
    from outcome`,
  );
}
