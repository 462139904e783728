// Rows of the event log as the queue's statements write them: in the statement that changes the state.
import { exchangeName } from "../../../../api/service.ts";
import { queueApi } from "../../../../api/queue/index.ts";
import { sql, type Sql } from "../../../core/sql.ts";

const name = (key: keyof typeof queueApi.exchanges): string =>
  exchangeName(queueApi, queueApi.exchanges[key]);

/** Full names of the queue's exchanges. */
export const exchanges = {
  taskDefined: name("taskDefined"),
  taskPending: name("taskPending"),
  taskRunning: name("taskRunning"),
  taskCompleted: name("taskCompleted"),
  taskFailed: name("taskFailed"),
  taskException: name("taskException"),
  artifactCreated: name("artifactCreated"),
  taskGroupResolved: name("taskGroupResolved"),
  taskGroupSealed: name("taskGroupSealed"),
  taskPriorityChanged: name("taskPriorityChanged"),
  taskGroupPriorityChanged: name("taskGroupPriorityChanged"),
} as const;

/** The exchange of a resolved run, from its state. */
export const exchangeOfResolution = (state: Sql): Sql => sql`case ${state}
  when 'completed' then ${exchanges.taskCompleted}
  when 'failed' then ${exchanges.taskFailed}
  else ${exchanges.taskException} end`;

/**
 * Inserts events from a select that yields exchange, routing_key, cc and payload *in order*: ids are drawn row
 * by row, after the locks of the transition are held, so the log keeps the order of transitions.
 */
export const logEvents = (rows: Sql): Sql =>
  sql`insert into events (exchange, routing_key, cc, payload) ${rows}`;
