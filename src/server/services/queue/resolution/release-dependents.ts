// The loop that releases the remaining dependents of resolved tasks with very many of them.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { recordReleased } from "../transition-log.ts";
import { releaseMore } from "./store/release.ts";

/** Releases the next dependents, in one statement per run, so that other tasks of the group can be resolved in between. */
export function releaseDependents(ctx: QueueContext): RunOnce {
  return async () => {
    const { unfinished, released } = await releaseMore(ctx.db, timestamp(ctx));
    recordReleased(ctx, released);
    return { more: unfinished };
  };
}
