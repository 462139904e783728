// Reads runs that a worker has already claimed, for repeated claims.
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { RUNNING } from "../../sql/run-indexes.ts";
import { earlierRuns } from "../../sql/task-status.ts";
import { ClaimedRow, selectClaimed } from "./claimed-runs.ts";

/** Returns the running runs of a worker: those of an earlier claim (`claimId`), or one run by its id. */
export function heldRuns(
  db: Queryable,
  worker: { workerGroup: string; workerId: string },
  by: { claimId: string; taskQueueId: string } | { taskId: string; runId: number },
): Promise<ClaimedRow[]> {
  const held =
    "claimId" in by
      ? sql`runs_of_claim(${by.claimId}, ${by.taskQueueId}) r join tasks t using (task_id) where`
      : sql`runs r join tasks t using (task_id)
      where r.task_id = ${by.taskId} and r.run_id = ${by.runId} and`;
  return db.many(
    ClaimedRow,
    sql`
    with claimed as (
      select 1 as claimer, r.seq as n, r as run,
        task_status(t, concat_ws(',', ${earlierRuns(sql`t.task_id`, sql`r.run_id`)}, run_json(r)), 'running') as status
      from ${held} r.state = ${RUNNING}
        and r.worker_group = ${worker.workerGroup} and r.worker_id = ${worker.workerId}
    )
    ${selectClaimed}`,
  );
}
