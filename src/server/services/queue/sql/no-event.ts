// Changes of rows that log no event.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * Belongs into the `set` list of each update of `runs` or `task_definitions` that is not a transition, so that it logs no
 * event: a claim is extended, a priority changes. The watchdog expects that the last writer of such a row logged the event
 * of its state (see watchdog/checks/events.ts), and reports a violation otherwise.
 */
export const noEvent: Sql = sql`quiet = true`;
