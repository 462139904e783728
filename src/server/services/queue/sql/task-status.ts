// Fragments that build the status of a task as JSON text.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * The runs before `until`, joined by commas as task_status expects them; null if there are none. Such runs are resolved
 * and never change. This is a fragment because a database function with a subquery cannot be inlined and would be
 * planned in each statement (0.2 ms of a claim's 0.5). The case avoids the subquery for run 0, which most runs are.
 */
export const earlierRuns = (taskId: Sql, until: Sql): Sql => sql`case when ${until} > 0 then (
        select string_agg(run_json(er), ',' order by er.run_id)
        from runs er where er.task_id = ${taskId} and er.run_id < ${until}
      ) end`;

/** The current status of the task `t`. */
export const currentStatus: Sql = sql`task_status(
  t, ${earlierRuns(sql`t.task_id`, sql`t.run_count`)},
  (select r.state from runs r where r.task_id = t.task_id and r.run_id = t.run_count - 1))`;
