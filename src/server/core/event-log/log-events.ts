// Writing events: an insert that is part of the statement that changes the state.
import { sql, waking, type Sql, type StatementResult, type TopicsOf } from "../sql.ts";

/** The wake-up topic of the readers of the log. */
export const eventsTopic = "events";

type ResultRow = StatementResult["rows"][number];

/**
 * Inserts events from a select of exchange, routing_key, cc and payload, *in its order*: ids are drawn row by row after
 * the locks of the transition are taken, so the log has the order of the transitions.
 *
 * Wakes the readers of the log if the statement returned or changed rows. A statement that also returns rows without an
 * event passes `hasEvent`, so that it does not wake them for nothing.
 */
export const logEvents = (events: Sql, hasEvent?: (row: ResultRow) => boolean): Sql =>
  waking(
    hasEvent ? ({ rows }) => (rows.some(hasEvent) ? [eventsTopic] : []) : wakeIfChanged,
    sql`insert into events (exchange, routing_key, cc, payload) ${events}`,
  );

const wakeIfChanged: TopicsOf = ({ rowCount }) => (rowCount ? [eventsTopic] : []);
