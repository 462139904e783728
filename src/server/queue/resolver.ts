// The one place that ends running runs. Reports that come at the same time go in one statement.
import { coalesce } from "../core/coalesce.ts";
import { DatabaseUnavailable, isRetryable } from "../core/db-errors.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "./context.ts";
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
