// The loop that deletes artifacts some time after they expired.
import { reportFailures } from "../../../core/artifact-store/report-failures.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { deleteExpired, expiredArtifacts } from "./store/expired-artifacts.ts";
import { record } from "../transition-log.ts";

/**
 * Deletes one batch. The content is deleted before the rows, so that failures are retried. Several processes may run this
 * loop. It does not use a transaction, since one that waits for a store would block every reader of the event log.
 */
export function expireArtifacts(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "monitor" | "artifacts">,
): RunOnce {
  // Rows whose content cannot be deleted stay at the head of the list, so the next batch skips them.
  let stuck = 0;
  return async () => {
    const cutoff = timestamp(ctx, -ctx.config.expiryDelay);
    const expired = await expiredArtifacts(ctx.db, cutoff, ctx.config.loopBatch, stuck);
    if (expired.length === 0) {
      stuck = 0;
      return { more: false };
    }
    const ids = expired.map((row) => ({
      taskId: row.task_id,
      runId: row.run_id,
      name: row.name,
      stored: row.storage_type === "s3",
    }));
    const failures = await ctx.artifacts.delete(ids.filter((id) => id.stored));
    reportFailures(ctx.monitor, failures);
    const kept = new Set(failures.map(({ key }) => key));
    const removed = await deleteExpired(
      ctx.db,
      ids.filter((id) => !kept.has(id)),
      cutoff,
    );
    if (removed > 0) record(ctx, "expired-artifacts-removed", { count: removed });
    const full = expired.length === ctx.config.loopBatch;
    stuck = full ? stuck + kept.size : 0;
    return { more: full && removed > 0 };
  };
}
