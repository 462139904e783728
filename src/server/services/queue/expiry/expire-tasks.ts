// Removes tasks and groups some time after they expired.
import { timestamp, type QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { deleteEdges, deleteGroups, deleteTasks, expiredTasks } from "./store.ts";

type Expiring = Pick<QueueContext, "db" | "clock" | "config" | "monitor">;

/** Edges that go in one statement, so that none holds the readers of the event log up for long. */
const EDGES = 2_000;

const BEGINNING = new Date(0).toISOString();

/** What a bite met, and how much of it is gone. */
interface Bite {
  readonly met: readonly { readonly expires: Date }[];
  readonly gone: number;
}

/**
 * Rounds of `bite`, each from the expiry on at which the one before ended, and from the beginning again after the end.
 * So a heap of rows that cannot go yet, or were just deleted and stay in the index for an old snapshot, is walked
 * once and not again for every batch.
 */
function sweep(ctx: Expiring, bite: (from: string, cutoff: string, limit: number) => Promise<Bite>): RunOnce {
  let from = BEGINNING;
  return async () => {
    const { loopBatch, expiryDelay } = ctx.config;
    const { met, gone } = await bite(from, timestamp(ctx, -expiryDelay), loopBatch);
    // Where all that was met is in the hands of others, they go on.
    const more = met.length === loopBatch && gone > 0;
    from = more
      ? new Date(Math.max(...met.map(({ expires }) => expires.getTime()))).toISOString()
      : BEGINNING;
    return { more };
  };
}

/**
 * Edges go first and by themselves, in bites: a task may have ten thousand. A dependent of an expired task is past
 * its own deadline, for no task expires before the deadline of one that requires it; so no edge that is removed could
 * still have made anything pending.
 */
export const expireTasks = (ctx: Expiring): RunOnce =>
  sweep(ctx, async (from, cutoff, limit) => {
    const met = await expiredTasks(ctx.db, from, cutoff, limit);
    const ids = met.map((row) => row.task_id);
    if (ids.length === 0) return { met, gone: 0 };
    while ((await deleteEdges(ctx.db, ids, EDGES)) >= EDGES);
    const gone = await deleteTasks(ctx.db, ids, cutoff);
    if (gone.length > 0) ctx.monitor.log.info({ count: gone.length }, "expired-tasks-removed");
    return { met, gone: gone.length };
  });

export const expireTaskGroups = (ctx: Expiring): RunOnce =>
  sweep(ctx, async (from, cutoff, limit) => {
    const met = await deleteGroups(ctx.db, from, cutoff, limit);
    if (met.length > 0) ctx.monitor.log.info({ count: met.length }, "expired-task-groups-removed");
    return { met, gone: met.length };
  });
