// What the statements that claim runs have in common: their rows, the check for quarantine, and the events.
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../../api/queue/task.ts";
import { Timestamp } from "../../../../core/db.ts";
import { logEvents } from "../../../../core/event-log/index.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { events } from "../../sql/event-rows.ts";
import { earlierRuns } from "../../sql/task-status.ts";

export interface Claimer {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly claimId: string | null;
  /** The maximum number of runs. */
  readonly tasks: number;
}

export const ClaimedRow = Type.Object({
  /** Position of the claimer in the input, from 1. */
  claimer: Type.Integer(),
  task_id: Type.String(),
  run_id: Type.Integer(),
  worker_group: Type.String(),
  worker_id: Type.String(),
  priority: Type.Integer(),
  seq: Type.Integer(),
  taken_until: Timestamp,
  status: jsonText<TaskStatus>(),
  definition: jsonText<TaskDefinition>(),
});
export type ClaimedRow = Static<typeof ClaimedRow>;

/** Repeats the expression of the index workers_in_quarantine, see its migration. Names contain no spaces. */
export const matchesQuarantineIndex = (taskQueueId: Sql, workerGroup: Sql, workerId: Sql): Sql => sql`
  w.task_queue_id || ' ' || w.worker_group || ' ' || w.worker_id
    = ${taskQueueId}::text || ' ' || ${workerGroup}::text || ' ' || ${workerId}::text
  and w.quarantine_until > w.first_claim`;

/** Selects the rows of a CTE `claimed` (claimer, n, run, status). */
export const selectClaimed: Sql = sql`
    select c.claimer::integer as claimer, (c.run).task_id as task_id, (c.run).run_id as run_id,
      (c.run).worker_group as worker_group, (c.run).worker_id as worker_id,
      (c.run).priority as priority, (c.run).seq as seq, (c.run).taken_until as taken_until, c.status, d.definition
    from claimed c join task_definitions d on d.task_id = (c.run).task_id
    order by c.n`;

/** The CTEs after `taken` (claimer, n, run): `claimed`, with the statuses, and the events. */
export const logClaims: Sql = sql`
    claimed as (
      select x.claimer, x.n, t as task, x.run,
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`(x.run).run_id`)}, run_json(x.run)), 'running')
          as status
      from taken x join tasks t on t.task_id = (x.run).task_id
    ),
    logged as (${logEvents(
      sql`
      select ${events.taskRunning.exchange},
        task_routing_key(task, (run).run_id, (run).worker_group, (run).worker_id), (task).routes,
        task_message(
          status, (task).tags, (run).run_id, (run).worker_group, (run).worker_id, (run).taken_until)
      from claimed order by n`,
      ({ task_id }) => task_id !== null,
    )})`;
