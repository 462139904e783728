// The one place that ends runs and tasks. What comes at the same time goes in one statement.
import type { Metrics } from "../core/metrics.ts";
import { timestamp, type QueueContext } from "./context.ts";
import { wakeAfterResolution } from "./release-dependents.ts";
import { endTasks, type EndedRow } from "./store/cancel.ts";
import { resolveRuns, type Resolution, type ResolvedRow } from "./store/resolve.ts";
import { together } from "./together.ts";

/** Ends a run; null where it was not running, or its claim was renewed. */
export type Resolve = (resolution: Resolution) => Promise<ResolvedRow | null>;

export function createResolver(ctx: QueueContext): Resolve {
  const resolve = together<Resolution, ResolvedRow | null>(ctx, {
    name: "resolve-run",
    key: (r) => r.taskId,
    run: async (resolutions) => {
      const rows = await resolveRuns(ctx.db, resolutions, timestamp(ctx));
      // Here and not by each caller: all rows of a statement name the same queues.
      if (rows[0]) wakeAfterResolution(ctx, rows[0]);
      const resolved = new Map(rows.map((row) => [row.ord, row]));
      return resolutions.map(({ state, reason }, i) => {
        const row = resolved.get(i + 1);
        if (row) count(ctx.metrics, row.task_queue_id, state, reason);
        return row ?? null;
      });
    },
  });
  return (resolution) => resolve(resolution);
}

/** Ends a task that is not resolved; null where it is, or changed at this very moment. */
export type End = (taskId: string) => Promise<EndedRow | null>;

/** A canceled task's event names the worker that held it; that of one past its deadline does not. */
export function createEnder(
  ctx: Pick<QueueContext, "db" | "clock" | "wakeUps" | "metrics">,
  reason: "canceled" | "deadline-exceeded",
  maxBatch = 100,
): End {
  const end = together<string, EndedRow | null>(ctx, {
    name: `end-task-${reason}`,
    maxBatch,
    key: (taskId) => taskId,
    run: async (taskIds) => {
      const rows = await endTasks(ctx.db, taskIds, reason, timestamp(ctx), reason === "canceled");
      if (rows[0]) wakeAfterResolution(ctx, rows[0]);
      for (const row of rows) count(ctx.metrics, row.task_queue_id, "exception", reason);
      const ended = new Map(rows.map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => ended.get(taskId) ?? null);
    },
  });
  return (taskId) => end(taskId);
}

/** Counts a run that ended. */
function count(
  { completedTasks, failedTasks, exceptionTasks }: Metrics,
  taskQueueId: string,
  state: Resolution["state"],
  reasonResolved: string,
): void {
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  const queue = { provisionerId, workerType };
  if (state === "completed") completedTasks.inc(queue);
  else (state === "failed" ? failedTasks : exceptionTasks).inc({ ...queue, reasonResolved });
}
