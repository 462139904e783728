// Reads a run with what identifies its task.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";

const RunRow = Type.Object({
  task_group_id: Type.String(),
  task_queue_id: Type.String(),
  scheduler_id: Type.String(),
  project_id: Type.String(),
  deadline: Timestamp,
  state: Type.String(),
  worker_group: Type.Union([Type.String(), Type.Null()]),
  worker_id: Type.Union([Type.String(), Type.Null()]),
  taken_until: Type.Union([Timestamp, Type.Null()]),
});
export type RunRow = Static<typeof RunRow>;

export const readRun = (db: Queryable, taskId: string, runId: number): Promise<RunRow | undefined> =>
  db.maybeOne(
    RunRow,
    sql`
    select t.task_group_id, t.task_queue_id, t.scheduler_id, t.project_id, t.deadline, r.state, r.worker_group,
      r.worker_id, r.taken_until
    from tasks t join runs r using (task_id)
    where t.task_id = ${taskId} and r.run_id = ${runId}`,
  );
