// The loop that reads the gauges of the queue: pending and claimed tasks, and workers.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { partsOf } from "../task-queue-id.ts";
import { readTaskCounts, readWorkerCounts } from "./store/gauges.ts";

/** How often the loop runs. */
export const GAUGES_INTERVAL_MS = 30_000;

/**
 * Reads all figures. Each process that runs the loops exports the same ones: take their maximum, not their sum.
 */
export function refreshGauges(ctx: Pick<QueueContext, "db" | "clock" | "metrics">): RunOnce {
  const { pendingTasks, claimedTasks, workers, quarantinedWorkers, runningWorkers, idleWorkers } =
    ctx.metrics;
  return async () => {
    const at = timestamp(ctx);
    const [tasks, known] = await Promise.all([readTaskCounts(ctx.db, at), readWorkerCounts(ctx.db, at)]);
    // Queues that no longer exist must leave the metrics. No reader can interrupt this synchronous code.
    for (const gauge of [
      pendingTasks,
      claimedTasks,
      workers,
      quarantinedWorkers,
      runningWorkers,
      idleWorkers,
    ])
      gauge.reset();
    for (const row of tasks) {
      const labels = partsOf(row.task_queue_id);
      pendingTasks.set(labels, row.pending);
      claimedTasks.set(labels, row.claimed);
    }
    for (const row of known) {
      const labels = partsOf(row.task_queue_id);
      workers.set(labels, row.workers);
      quarantinedWorkers.set(labels, row.quarantined);
      runningWorkers.set(labels, row.running);
      // A worker first seen less than a second ago may hold a run although its row is not written yet.
      idleWorkers.set(labels, Math.max(0, row.workers - row.running));
    }
    return { more: false };
  };
}
