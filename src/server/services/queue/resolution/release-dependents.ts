// What is left to release where a resolved task has very many dependents.
import { timestamp, type QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { recordReleased } from "../transition-log.ts";
import { releaseMore } from "./store/release.ts";

/**
 * Releases the next dependents. In turns of a statement each, so that whoever resolves tasks of the same group
 * comes in between.
 */
export function releaseDependents(ctx: QueueContext): RunOnce {
  return async () => {
    const { unfinished, released } = await releaseMore(ctx.db, timestamp(ctx));
    recordReleased(ctx, released);
    return { more: unfinished };
  };
}
