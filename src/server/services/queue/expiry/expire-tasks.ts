// The loops that delete tasks and groups some time after they expired.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { deleteEdges, deleteGroups, deleteTasks, expiredTasks } from "./store.ts";

type ExpiryContext = Pick<QueueContext, "db" | "clock" | "config" | "monitor">;

/** The maximum number of edges that one statement deletes, so that none blocks the readers of the event log for long. */
const MAX_EDGES = 2_000;

const EPOCH = new Date(0).toISOString();

/** The rows that a batch read, and how many of them it deleted. */
interface Batch {
  readonly found: readonly { readonly expires: Date }[];
  readonly deleted: number;
}

/**
 * Runs batches in the order of expirations, each from the expiration at which the previous one ended, and from the beginning again after the last. So
 * rows that cannot be deleted yet, or that were deleted but remain in the index for an old snapshot, are read once and not
 * again for every batch.
 */
function inOrderOfExpiry(
  ctx: ExpiryContext,
  runBatch: (from: string, cutoff: string, limit: number) => Promise<Batch>,
): RunOnce {
  let from = EPOCH;
  return async () => {
    const { loopBatch, expiryDelay } = ctx.config;
    const { found, deleted } = await runBatch(from, timestamp(ctx, -expiryDelay), loopBatch);
    // If nothing could be deleted, other processes work on these rows.
    const more = found.length === loopBatch && deleted > 0;
    from = more ? new Date(Math.max(...found.map(({ expires }) => expires.getTime()))).toISOString() : EPOCH;
    return { more };
  };
}

/**
 * Deletes edges first and in separate statements, since a task may have ten thousand. A dependency does not expire before
 * the deadline of its dependents, so the dependents of an expired task are past their deadline, and no deleted edge could
 * still have made one pending.
 */
export const expireTasks = (ctx: ExpiryContext): RunOnce =>
  inOrderOfExpiry(ctx, async (from, cutoff, limit) => {
    const found = await expiredTasks(ctx.db, from, cutoff, limit);
    const ids = found.map((row) => row.task_id);
    if (ids.length === 0) return { found, deleted: 0 };
    while ((await deleteEdges(ctx.db, ids, MAX_EDGES)) >= MAX_EDGES);
    const deleted = await deleteTasks(ctx.db, ids, cutoff);
    if (deleted.length > 0) ctx.monitor.log.info({ count: deleted.length }, "expired-tasks-removed");
    return { found, deleted: deleted.length };
  });

export const expireTaskGroups = (ctx: ExpiryContext): RunOnce =>
  inOrderOfExpiry(ctx, async (from, cutoff, limit) => {
    const found = await deleteGroups(ctx.db, from, cutoff, limit);
    if (found.length > 0) ctx.monitor.log.info({ count: found.length }, "expired-task-groups-removed");
    return { found, deleted: found.length };
  });
