// Reads the running runs of one worker.
import Type from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";

const HeldRunRow = Type.Object({ task_id: Type.String(), run_id: Type.Integer() });

/** Returns the running runs that a worker claimed no later than `until`. */
export const runsOfWorker = (
  db: Queryable,
  worker: { readonly taskQueueId: string; readonly workerGroup: string; readonly workerId: string },
  until: Date,
): Promise<{ task_id: string; run_id: number }[]> =>
  db.many(
    HeldRunRow,
    sql`
    select task_id, run_id from runs
    where state = 'running' and task_queue_id = ${worker.taskQueueId}
      and worker_group = ${worker.workerGroup} and worker_id = ${worker.workerId}
      and started <= ${until}
    order by task_id`,
  );
