// Log records and metrics of what happens to workers.
import { recordsOf } from "../../core/log-definitions.ts";
import type { WorkerManagerContext } from "./context.ts";
import { logs } from "./logs.ts";
import type { StoppedWorker } from "./workers/store/stop-workers.ts";

export type RecordContext = Pick<WorkerManagerContext, "clock" | "monitor" | "metrics">;

export const record = recordsOf(logs);

/** Records workers that have stopped. */
export function recordStopped(ctx: RecordContext, stopped: readonly StoppedWorker[]): void {
  for (const row of stopped) {
    const { worker_pool_id: workerPoolId, provider_id: providerId, worker_id: workerId, reason } = row;
    const workerAge = Math.max(0, ctx.clock.now() - row.created.getTime()) / 1000;
    record(ctx, "worker-removed", { workerPoolId, providerId, workerId, workerAge, reason });
    ctx.metrics.workerLifetime.observe({ workerPoolId, providerId }, workerAge);
  }
}

/** Measures how long after the start of its system a worker registered. */
export function recordStartup(
  { clock, metrics }: RecordContext,
  of: { readonly workerPoolId: string; readonly providerId: string },
  systemBootTime: string,
): void {
  // The clock of the worker may be ahead.
  metrics.workerStartup.observe(of, Math.max(0, clock.now() - Date.parse(systemBootTime)) / 1000);
}
