// The one place that ends runs and tasks. What comes at the same time goes in one statement.
import { coalesce } from "../core/coalesce.ts";
import { DatabaseUnavailable, isRetryable } from "../core/db-errors.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "./context.ts";
import { endTasks, type EndedRow } from "./store/cancel.ts";
import { resolveRuns, type Resolution, type ResolvedRow } from "./store/resolve.ts";

/** Ends a run; its row has a null status where it was not running. */
export type Resolve = (resolution: Resolution) => Promise<ResolvedRow>;

export function createResolver(ctx: QueueContext): Resolve {
  const resolve = coalesce<Resolution, ResolvedRow>({
    name: "resolve-run",
    maxBatch: 100,
    concurrency: 2,
    key: (r) => r.taskId,
    isRetryable,
    isFatal: (err) => err instanceof DatabaseUnavailable,
    run: async (resolutions) => {
      const rows = await resolveRuns(ctx.db, resolutions, timestamp(ctx));
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
  ctx: Pick<QueueContext, "db" | "clock" | "wakeUps">,
  reason: "canceled" | "deadline-exceeded",
): End {
  const end = coalesce<string, EndedRow | null>({
    name: `end-task-${reason}`,
    maxBatch: 100,
    concurrency: 2,
    key: (taskId) => taskId,
    isRetryable,
    isFatal: (err) => err instanceof DatabaseUnavailable,
    run: async (taskIds) => {
      const rows = await endTasks(ctx.db, taskIds, reason, timestamp(ctx), reason === "canceled");
      if (rows[0]) wakeAfterCommit(ctx, rows[0].pending_in);
      const ended = new Map(rows.map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => ended.get(taskId) ?? null);
    },
  });
  return (taskId) => end(taskId);
}
