// The one place that ends runs and tasks. What comes at the same time goes in one statement.
import { timestamp, type QueueContext } from "../context.ts";
import { partsOf } from "../task-queue-id.ts";
import { areRecorded, recordReleased, recordResolution } from "../transition-log.ts";
import { endTasks, type EndedRow } from "./store/end-tasks.ts";
import { resolveRuns, type Resolution, type ResolvedRow } from "./store/resolve-runs.ts";
import { batched } from "../batched.ts";

/** Ends a run; null where it was not running, or its claim was renewed. */
export type Resolve = (resolution: Resolution) => Promise<ResolvedRow | null>;

export function createResolver(ctx: QueueContext): Resolve {
  const resolve = batched<Resolution, ResolvedRow | null>(ctx, {
    name: "resolve-run",
    key: (r) => r.taskId,
    run: async (resolutions) => {
      const rows = await resolveRuns(ctx.db, resolutions, timestamp(ctx), areRecorded(ctx));
      const resolved = new Map(rows.map((row) => [row.ord, row]));
      const results = resolutions.map(({ state, reason }, i) => {
        const row = resolved.get(i + 1);
        if (row) tellEnd(ctx, row, state, reason);
        return row ?? null;
      });
      recordReleased(ctx, rows[0]?.released ?? null);
      return results;
    },
  });
  return (resolution) => resolve(resolution);
}

/** Ends a task that is not resolved; null where it is, or changed at this very moment. */
export type End = (taskId: string) => Promise<EndedRow | null>;

/** A canceled task's event names the worker that held it; that of one past its deadline does not. */
export function createEnder(
  ctx: Pick<QueueContext, "db" | "clock" | "metrics" | "monitor">,
  reason: "canceled" | "deadline-exceeded",
  maxBatch = 100,
): End {
  const end = batched<string, EndedRow | null>(ctx, {
    name: `end-task-${reason}`,
    maxBatch,
    key: (taskId) => taskId,
    run: async (taskIds) => {
      const namesWorker = reason === "canceled";
      const rows = await endTasks(ctx.db, taskIds, reason, timestamp(ctx), namesWorker, areRecorded(ctx));
      for (const row of rows) tellEnd(ctx, row, "exception", reason);
      recordReleased(ctx, rows[0]?.released ?? null);
      const ended = new Map(rows.map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => ended.get(taskId) ?? null);
    },
  });
  return (taskId) => end(taskId);
}

/** Counts a run that ended, and records it. */
function tellEnd(
  ctx: Pick<QueueContext, "metrics" | "monitor">,
  row: Pick<ResolvedRow, "task_queue_id" | "status">,
  state: Resolution["state"],
  reasonResolved: string,
): void {
  recordResolution(ctx, state, reasonResolved, row.status);
  const { completedTasks, failedTasks, exceptionTasks } = ctx.metrics;
  const queue = partsOf(row.task_queue_id);
  if (state === "completed") completedTasks.inc(queue);
  else (state === "failed" ? failedTasks : exceptionTasks).inc({ ...queue, reasonResolved });
}
