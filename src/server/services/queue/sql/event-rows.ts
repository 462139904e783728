// Rows of the event log, which the queue's statements insert together with the state change.
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

/** The exchange for a resolved run of this state. */
export const exchangeOfResolution = (state: Sql): Sql => sql`case ${state}
  when 'completed' then ${exchanges.taskCompleted}
  when 'failed' then ${exchanges.taskFailed}
  else ${exchanges.taskException} end`;
