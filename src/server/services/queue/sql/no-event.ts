// Changes of rows that log no event.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * Part of the `set` list of each update of `runs` or `task_definitions` that is not a transition and logs no event, such as
 * the extension of a claim or a change of priority. For other rows, the watchdog expects that the last writer logged the
 * event of the row's state (see watchdog/checks/events.ts), and reports a violation otherwise.
 */
export const noEvent: Sql = sql`quiet = true`;
