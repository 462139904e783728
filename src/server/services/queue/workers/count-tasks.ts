// pendingTasks and taskQueueCounts: how much there is to do in a queue.
import type { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { countClaimed, countPending } from "./store/queue-tasks.ts";
import { batched } from "../batched.ts";

type Endpoints = typeof taskQueueEndpoints;

/** How many tasks of a queue there are of some kind. */
type Count = (taskQueueId: string) => Promise<number>;

/**
 * Counts that are asked for while others are under way share the next statement, and each queue is counted once in it:
 * with a million pending tasks a count takes 0.2 s, and a crowd of autoscalers asks for it all the time.
 */
const countTogether = (ctx: QueueContext, name: string, count: typeof countPending): Count =>
  batched<string, number>(ctx, {
    name,
    run: async (taskQueueIds) => {
      const ids = [...new Set(taskQueueIds)];
      const rows = await count(ctx.db, ids, timestamp(ctx));
      const counts = new Map(rows.map((row) => [ids[row.ord - 1], row.tasks]));
      return taskQueueIds.map((id) => counts.get(id) ?? 0);
    },
  });

const queueIds = (taskQueueId: string) => {
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  return { taskQueueId, provisionerId, workerType };
};

export function countHandlers(ctx: QueueContext): {
  readonly pendingTasks: Handler<Endpoints["pendingTasks"]>;
  readonly taskQueueCounts: Handler<Endpoints["taskQueueCounts"]>;
} {
  const pending = countTogether(ctx, "count-pending", countPending);
  const claimed = countTogether(ctx, "count-claimed", countClaimed);
  return {
    async pendingTasks(call) {
      const { taskQueueId } = call.params;
      return { ...queueIds(taskQueueId), pendingTasks: await pending(taskQueueId) };
    },
    async taskQueueCounts(call) {
      const { taskQueueId } = call.params;
      const [pendingTasks, claimedTasks] = await Promise.all([pending(taskQueueId), claimed(taskQueueId)]);
      return { ...queueIds(taskQueueId), pendingTasks, claimedTasks };
    },
  };
}
