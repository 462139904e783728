// What is left to release where a resolved task has very many dependents.
import { timestamp, wakeAfterCommit, type QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { recordReleased } from "../transition-log.ts";
import { releaseMore, type ReleasedRow } from "./store/release.ts";

/** The wake-up topic of dependents that one statement left for the next. */
export const unfinishedTopic = "unfinished-releases";

/** Tells who waits for runs that became pending, and the loop where there are more to come. Call it after the commit. */
export function wakeAfterResolution(
  ctx: Pick<QueueContext, "wakeUps">,
  {
    pending_in,
    unfinished,
  }: { readonly pending_in: ReleasedRow["pending_in"] | null; readonly unfinished: boolean },
): void {
  wakeAfterCommit(ctx, pending_in);
  if (unfinished) ctx.wakeUps.wake(unfinishedTopic);
}

/**
 * Releases the next dependents. In turns of a statement each, so that whoever resolves tasks of the same group
 * comes in between.
 */
export function releaseDependents(ctx: QueueContext): RunOnce {
  return async () => {
    const { pending_in, unfinished, released } = await releaseMore(ctx.db, timestamp(ctx));
    if (pending_in.length > 0) wakeAfterCommit(ctx, pending_in);
    recordReleased(ctx, released);
    return { more: unfinished };
  };
}
