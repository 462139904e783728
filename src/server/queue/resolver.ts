// The one place that ends runs and tasks. What comes at the same time goes in one statement.
import type { Metrics } from "../core/metrics.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "./context.ts";
import { endTasks, type EndedRow } from "./store/cancel.ts";
import { resolveRuns, type Resolution, type ResolvedRow } from "./store/resolve.ts";
import { together } from "./together.ts";

/** Ends a run; its row has a null status where it was not running. */
export type Resolve = (resolution: Resolution) => Promise<ResolvedRow>;

export function createResolver(ctx: QueueContext): Resolve {
  const resolve = together<Resolution, ResolvedRow>(ctx, {
    name: "resolve-run",
    key: (r) => r.taskId,
    run: async (resolutions) => {
      const rows = await resolveRuns(ctx.db, resolutions, timestamp(ctx));
      for (const [i, { state, reason }] of resolutions.entries())
        count(ctx.metrics, rows[i]?.task_queue_id, state, reason);
      // Here and not by each caller: all rows of a statement name the same queues.
      wakeAfterCommit(ctx, rows[0]?.pending_in ?? null);
      return rows;
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
      if (rows[0]) wakeAfterCommit(ctx, rows[0].pending_in);
      for (const row of rows) count(ctx.metrics, row.task_queue_id, "exception", reason);
      const ended = new Map(rows.map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => ended.get(taskId) ?? null);
    },
  });
  return (taskId) => end(taskId);
}

/** Counts a run that ended; nothing ended where there is no queue. */
function count(
  { completedTasks, failedTasks, exceptionTasks }: Metrics,
  taskQueueId: string | null | undefined,
  state: Resolution["state"],
  reasonResolved: string,
): void {
  if (!taskQueueId) return;
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  const queue = { provisionerId, workerType };
  if (state === "completed") completedTasks.inc(queue);
  else (state === "failed" ? failedTasks : exceptionTasks).inc({ ...queue, reasonResolved });
}
