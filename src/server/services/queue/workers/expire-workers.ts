// The loop that deletes workers and task queues some time after they expired, and counts of claims after an hour.
import { inBatches } from "../../../core/in-batches.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { deleteExpiredTaskQueues, deleteOldClaimCounts } from "./store/task-queues.ts";
import { deleteExpiredWorkers } from "./store/workers.ts";

const HOUR = 3_600_000;

/** Deletes one batch of each. Several processes may run this loop. Workers in quarantine are kept. */
export function expireWorkers(ctx: Pick<QueueContext, "db" | "clock" | "config">): RunOnce {
  const { db, config } = ctx;
  const cutoff = (): string => timestamp(ctx, -config.expiryDelay);
  return inBatches(
    config.loopBatch,
    (limit) => deleteExpiredWorkers(db, cutoff(), limit),
    (limit) => deleteExpiredTaskQueues(db, cutoff(), limit),
    (limit) => deleteOldClaimCounts(db, timestamp(ctx, -HOUR), limit),
  );
}
