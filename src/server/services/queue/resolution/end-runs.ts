// Resolves runs and tasks, for all use cases and loops. Concurrent calls share a statement.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { partsOf } from "../task-queue-id.ts";
import { areRecorded, recordReleased, recordResolution } from "../transition-log.ts";
import { endTasks, type EndedRow } from "./store/end-tasks.ts";
import { resolveRuns, type Resolution, type ResolvedRow } from "./store/resolve-runs.ts";
import { batched } from "../batched.ts";

/** Resolves a run. Returns null if it was not running, or its claim was renewed. */
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
        if (row) recordEnd(ctx, row, state, reason);
        return row ?? null;
      });
      recordReleased(ctx, rows[0]?.released ?? null);
      return results;
    },
  });
  return (resolution) => resolve(resolution);
}

/** Resolves an unresolved task as exception. Returns null if it was resolved already, or changed concurrently. */
export type EndTask = (taskId: string) => Promise<EndedRow | null>;

/** The event of a canceled task contains the worker of its run; that of a task past its deadline does not. */
export function createEndTask(
  ctx: Pick<QueueContext, "db" | "clock" | "metrics" | "monitor">,
  reason: "canceled" | "deadline-exceeded",
  maxBatch = 100,
): EndTask {
  const end = batched<string, EndedRow | null>(ctx, {
    name: `end-task-${reason}`,
    maxBatch,
    key: (taskId) => taskId,
    run: async (taskIds) => {
      const namesWorker = reason === "canceled";
      const rows = await endTasks(ctx.db, taskIds, reason, timestamp(ctx), namesWorker, areRecorded(ctx));
      for (const row of rows) recordEnd(ctx, row, "exception", reason);
      recordReleased(ctx, rows[0]?.released ?? null);
      const ended = new Map(rows.map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => ended.get(taskId) ?? null);
    },
  });
  return (taskId) => end(taskId);
}

/** Counts and records a resolved run. */
function recordEnd(
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
