// Extends claims (reclaimTask).
import Type, { type Static } from "typebox";
import type { TaskStatus } from "../../../../../api/queue/status.ts";
import { column } from "../../../../core/columns.ts";
import type { Queryable } from "../../../../core/db.ts";
import { jsonText } from "../../../../core/json.ts";
import { sql } from "../../../../core/sql.ts";
import { noEvent } from "../../sql/no-event.ts";
import { RUNNING } from "../../sql/run-indexes.ts";
import { earlierRuns } from "../../sql/task-status.ts";

const ReclaimedRow = Type.Object({
  ord: Type.Integer(),
  /** Null if the run is not running. */
  status: Type.Union([jsonText<TaskStatus>(), Type.Null()]),
  task_queue_id: Type.Union([Type.String(), Type.Null()]),
  worker_group: Type.Union([Type.String(), Type.Null()]),
  worker_id: Type.Union([Type.String(), Type.Null()]),
});
export type ReclaimedRow = Static<typeof ReclaimedRow>;

/** Extends the claims of running runs before their deadline. Returns a row for each input, in their order. */
export const reclaimRuns = (
  db: Queryable,
  runs: readonly { taskId: string; runId: number; takenUntil: string }[],
  at: string,
): Promise<ReclaimedRow[]> =>
  db.many(
    ReclaimedRow,
    sql`
    with input as (
      select * from unnest(
        ${column(runs, "taskId")}::text[], ${column(runs, "runId")}::smallint[],
        ${column(runs, "takenUntil")}::timestamptz[]
      ) with ordinality as i (task_id, run_id, taken_until, ord)
    ),
    kept as (
      update runs r set taken_until = i.taken_until, ${noEvent}
      -- In the order in which statements that resolve runs lock them.
      from (select * from input order by task_id collate "C", run_id) i
      where r.task_id = i.task_id and r.run_id = i.run_id and r.state = ${RUNNING}
        and r.deadline > ${at}::timestamptz
      returning i.ord, r as run
    )
    select i.ord::integer,
      case when (k.run).task_id is not null then
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`(k.run).run_id`)}, run_json(k.run)), 'running')
      end as status,
      (k.run).task_queue_id as task_queue_id, (k.run).worker_group as worker_group,
      (k.run).worker_id as worker_id
    from input i
    left join kept k using (ord)
    left join tasks t on t.task_id = i.task_id
    order by i.ord`,
  );
