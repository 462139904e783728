// What the queue does by itself: it ends claims that nobody kept, and tasks that are past their deadline.
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { createEnder, type Resolve } from "./end-runs.ts";
import { tasksPastDeadline } from "./store/end-tasks.ts";
import { expiredClaims } from "../claims/store/expired-claims.ts";

/**
 * Gives runs back whose claim ended: the worker is gone or cut off. Each is resolved only if its claim still ends
 * at the time that was read, so a reclaim in between wins, and two processes may do the same work at once.
 */
export function endExpiredClaims(ctx: QueueContext, resolve: Resolve): RunOnce {
  return async () => {
    const claims = await expiredClaims(ctx.db, timestamp(ctx), ctx.config.loopBatch);
    const ended = await Promise.all(
      claims.map((claim) =>
        resolve({
          taskId: claim.task_id,
          runId: claim.run_id,
          state: "exception",
          reason: "claim-expired",
          retryAs: "retry",
          takenUntil: claim.taken_until.toISOString(),
        }),
      ),
    );
    return { more: isWorthAnother(ctx, ended) };
  };
}

/** After a whole batch, of which something was done: else others are at it, or nobody can end what is there. */
const isWorthAnother = (ctx: QueueContext, ended: readonly unknown[]): boolean =>
  ended.length === ctx.config.loopBatch && ended.some((row) => row !== null);

/** Ends tasks that are not resolved some time after their deadline, so that a late report still counts. */
export function endPastDeadline(ctx: QueueContext): RunOnce {
  const end = createEnder(ctx, "deadline-exceeded");
  return async () => {
    const past = await tasksPastDeadline(
      ctx.db,
      timestamp(ctx, -ctx.config.deadlineDelay),
      ctx.config.loopBatch,
    );
    const ended = await Promise.all(past.map((row) => end(row.task_id)));
    return { more: isWorthAnother(ctx, ended) };
  };
}
