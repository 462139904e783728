// The loops that end expired claims, and tasks past their deadline.
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { createEndTask, type Resolve } from "./end-runs.ts";
import { tasksPastDeadline } from "./store/end-tasks.ts";
import { expiredClaims } from "../claims/store/expired-claims.ts";

/**
 * Resolves runs whose claim has ended, since the worker stopped or is unreachable, and adds their retries. A run is
 * resolved only if its claim still ends at the time that was read, so a concurrent reclaim wins, and several processes may
 * run this loop.
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
    return { more: mayHaveMore(ctx, ended) };
  };
}

/**
 * Reports whether another batch is worthwhile: this one was full and changed something. Otherwise another process works on
 * the same rows, or they cannot be ended.
 */
const mayHaveMore = (ctx: QueueContext, ended: readonly unknown[]): boolean =>
  ended.length === ctx.config.loopBatch && ended.some((row) => row !== null);

/** Resolves unresolved tasks some time after their deadline, so that a late report still counts. */
export function endPastDeadline(ctx: QueueContext): RunOnce {
  const endTask = createEndTask(ctx, "deadline-exceeded");
  return async () => {
    const past = await tasksPastDeadline(
      ctx.db,
      timestamp(ctx, -ctx.config.deadlineDelay),
      ctx.config.loopBatch,
    );
    const ended = await Promise.all(past.map((row) => endTask(row.task_id)));
    return { more: mayHaveMore(ctx, ended) };
  };
}
