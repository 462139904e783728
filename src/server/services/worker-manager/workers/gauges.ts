// The loop that reads the gauges of worker-manager.
import type { RunOnce } from "../../../core/loop.ts";
import type { WorkerManagerContext } from "../context.ts";
import { readCapacities } from "./store/capacity.ts";

/** How often the loop runs. */
export const GAUGES_INTERVAL_MS = 30_000;

/** Reads all figures. Each process that runs the loops exports the same ones: take their maximum, not their sum. */
export const refreshGauges =
  ({ db, metrics }: Pick<WorkerManagerContext, "db" | "metrics">): RunOnce =>
  async () => {
    const rows = await readCapacities(db.reports);
    // Pools that no longer exist must leave the metrics. No reader can interrupt this synchronous code.
    metrics.existingCapacity.reset();
    for (const { worker_pool_id: workerPoolId, provider_id: providerId, capacity } of rows)
      metrics.existingCapacity.set({ workerPoolId, providerId }, capacity);
    return { more: false };
  };
