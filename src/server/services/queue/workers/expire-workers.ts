// The loop that deletes workers and task queues some time after they expired, and counts of claims after an hour.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { deleteExpiredTaskQueues, deleteOldClaimCounts } from "./store/task-queues.ts";
import { deleteExpiredWorkers } from "./store/workers.ts";

const HOUR = 3_600_000;

/** Deletes one batch of each. Several processes may run this loop. Workers in quarantine are kept. */
export function expireWorkers(ctx: Pick<QueueContext, "db" | "clock" | "config">): RunOnce {
  return async () => {
    const { expiryDelay, loopBatch } = ctx.config;
    const cutoff = timestamp(ctx, -expiryDelay);
    const removed = await Promise.all([
      deleteExpiredWorkers(ctx.db, cutoff, loopBatch),
      deleteExpiredTaskQueues(ctx.db, cutoff, loopBatch),
      deleteOldClaimCounts(ctx.db, timestamp(ctx, -HOUR), loopBatch),
    ]);
    return { more: removed.includes(loopBatch) };
  };
}
