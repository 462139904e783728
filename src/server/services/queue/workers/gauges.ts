// The gauges of the queue: what waits, what is held, and by how many workers.
import { timestamp, type QueueContext } from "../context.ts";
import type { Round } from "../resolution/end-overdue.ts";
import { readTaskCounts, readWorkerCounts } from "./store/gauges.ts";

const INTERVAL = 30_000;

/**
 * A round that reads all figures, at most once in half a minute. Each process that runs the loops has them, and all
 * have the same ones: take the highest of them, not their sum.
 */
export function refreshGauges(ctx: Pick<QueueContext, "db" | "clock" | "metrics">): Round {
  const { pendingTasks, claimedTasks, workers, quarantinedWorkers, runningWorkers, idleWorkers } =
    ctx.metrics;
  let refreshed = Number.NEGATIVE_INFINITY;
  return async () => {
    if (ctx.clock.now() - refreshed < INTERVAL) return { more: false };
    const at = timestamp(ctx);
    const [tasks, known] = await Promise.all([readTaskCounts(ctx.db, at), readWorkerCounts(ctx.db, at)]);
    // What is not there any more must not stay in the metrics for ever. Nobody can read them in between.
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
      const labels = labelsOf(row.task_queue_id);
      pendingTasks.set(labels, row.pending);
      claimedTasks.set(labels, row.claimed);
    }
    for (const row of known) {
      const labels = labelsOf(row.task_queue_id);
      workers.set(labels, row.workers);
      quarantinedWorkers.set(labels, row.quarantined);
      runningWorkers.set(labels, row.running);
      // One may hold a run and not be known yet, since it was seen less than a second ago.
      idleWorkers.set(labels, Math.max(0, row.workers - row.running));
    }
    refreshed = ctx.clock.now();
    return { more: false };
  };
}

function labelsOf(taskQueueId: string): { provisionerId: string; workerType: string } {
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  return { provisionerId, workerType };
}
