// Claims one run by its id (claimTask).
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { PENDING } from "../../sql/run-indexes.ts";
import {
  ClaimedRow,
  logClaims,
  matchesQuarantineIndex,
  selectClaimed,
  type Claimer,
} from "./claimed-runs.ts";

/** Claims a run if it is pending, before its deadline, and the claimer is not in quarantine. */
export const claimOne = (
  db: Queryable,
  taskId: string,
  runId: number,
  claimer: Claimer,
  at: string,
  takenUntil: string,
): Promise<ClaimedRow | undefined> =>
  db.maybeOne(
    ClaimedRow,
    sql`
    with taken as (
      update runs r set state = 'running', worker_group = ${claimer.workerGroup},
        worker_id = ${claimer.workerId}, started = ${at}::timestamptz, taken_until = ${takenUntil}::timestamptz
      where r.task_id = ${taskId} and r.run_id = ${runId} and r.state = ${PENDING}
        and r.deadline > ${at}::timestamptz
        and not exists (
          select from workers w
          where ${matchesQuarantineIndex(sql`r.task_queue_id`, sql`${claimer.workerGroup}`, sql`${claimer.workerId}`)}
            and w.quarantine_until > ${at}::timestamptz
        )
      returning 1 as claimer, 1 as n, r as run
    ),
    ${logClaims}
    ${selectClaimed}`,
  );
