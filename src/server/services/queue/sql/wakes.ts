// The wake-up topics of the queue, and the result columns of statements that wake them.
import { sql, waking, type Sql } from "../../../core/sql.ts";

/** Wakes the claimers of a task queue: runs became pending in it. */
export const pendingTopic = (taskQueueId: string): string => `pending:${taskQueueId}`;

/** Wakes the claimers of all queues: pending runs may now be before the position from which claims read. */
export const reorderedTopic = "reordered";

/** Wakes the loop that releases the remaining dependents of tasks with very many. */
export const unfinishedTopic = "unfinished-releases";

/** The column `pending_in` of each row: the task queue in which the statement made its run pending, or null. */
export const pendingIn = (taskQueueId: Sql): Sql =>
  waking(
    ({ rows }) =>
      rows.flatMap(({ pending_in }) => (typeof pending_in === "string" ? pendingTopic(pending_in) : [])),
    sql`${taskQueueId} as pending_in`,
  );

/** The column `pending_in`, the same in each row: the task queues in which the statement made runs pending, or null. */
export const pendingInQueues = (taskQueueIds: Sql): Sql =>
  waking(
    ({ rows }) => {
      const queues = rows[0]?.["pending_in"];
      return Array.isArray(queues) ? queues.map(String).map(pendingTopic) : [];
    },
    sql`${taskQueueIds} as pending_in`,
  );
