// How processes learn that a client or role has changed: an event of this service, and a wake-up topic of its own.
import { sql, waking, type Sql } from "../../../core/sql.ts";

/** The wake-up topic of all views of clients and roles. */
export const directoryTopic = "auth";

/** Selects the events of clients and roles, through an index that has only these. */
export const directoryEvents: Sql = sql`e.exchange like 'exchange/taskcluster-auth/%'`;

/** Returns the statement, which also wakes the views of all processes if it changed or returned rows. */
export const wakingViews = (statement: Sql): Sql =>
  waking(({ rowCount }) => (rowCount ? [directoryTopic] : []), statement);
