// pendingTasks and taskQueueCounts: how many tasks of a queue are pending and claimed.
import { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { Caller } from "../../../core/caller.ts";
import { batched } from "../batched.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { partsOf } from "../task-queue-id.ts";
import { countClaimed, countPending } from "./store/queue-tasks.ts";

/** Counts tasks of a queue. */
type Count = (taskQueueId: string) => Promise<number>;

/**
 * Batches counts that are requested while others run, and counts each queue once: a million pending tasks take 0.2 s to
 * count, and many autoscalers poll for the number.
 */
const countBatched = (ctx: QueueContext, name: string, count: typeof countPending): Count =>
  batched<string, number>(ctx, {
    name,
    run: async (taskQueueIds) => {
      const ids = [...new Set(taskQueueIds)];
      const rows = await count(ctx.db, ids, timestamp(ctx));
      const counts = new Map(rows.map((row) => [ids[row.ord - 1], row.tasks]));
      return taskQueueIds.map((id) => counts.get(id) ?? 0);
    },
  });

export function countUseCases(ctx: QueueContext) {
  const pending = countBatched(ctx, "count-pending", countPending);
  const claimed = countBatched(ctx, "count-claimed", countClaimed);
  return {
    async pendingTasks(caller: Caller, taskQueueId: string) {
      caller.authorize(taskQueueEndpoints.pendingTasks, { taskQueueId });
      const pendingTasks = await pending(taskQueueId);
      return { taskQueueId, ...partsOf(taskQueueId), pendingTasks };
    },
    async taskQueueCounts(caller: Caller, taskQueueId: string) {
      caller.authorize(taskQueueEndpoints.taskQueueCounts, { taskQueueId });
      const [pendingTasks, claimedTasks] = await Promise.all([pending(taskQueueId), claimed(taskQueueId)]);
      return { taskQueueId, ...partsOf(taskQueueId), pendingTasks, claimedTasks };
    },
  };
}
