// The activity of a task queue in the last minutes.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { readQueueActivity } from "./store/queue-activity.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { silentMs } from "./presence.ts";

export interface QueueActivity {
  /** When any worker of the queue was last seen; undefined if none is known. Other processes may be a second behind. */
  readonly lastSeen: Date | undefined;
  /** The number of workers that were seen recently, as `silentMs` defines it, or hold a run, and of those in quarantine. */
  readonly workers: number;
  readonly quarantined: number;
  /** The number of workers that were seen recently. The others hold runs: they are busy, or gone. */
  readonly seenWorkers: number;
  /** The number of runs claimed in the last ten complete minutes and the current one. */
  readonly recentClaims: number;
  /** The duration of these minutes until now, in milliseconds. */
  readonly recentClaimsMs: number;
}

const MINUTE = 60_000;
const RECENT = 10 * MINUTE;

export async function queueActivity(
  ctx: Pick<QueueContext, "db" | "clock" | "config">,
  activity: WorkerActivity,
  taskQueueId: string,
): Promise<QueueActivity> {
  await activity.flush();
  const row = await readQueueActivity(ctx.db, taskQueueId, {
    now: timestamp(ctx),
    seenSince: timestamp(ctx, -silentMs(ctx)),
    claimsSince: timestamp(ctx, -RECENT),
  });
  return {
    lastSeen: row.last_seen ?? undefined,
    workers: row.workers,
    quarantined: row.quarantined,
    seenWorkers: row.seen_workers,
    recentClaims: row.recent_claims,
    recentClaimsMs: RECENT + ((ctx.clock.now() - RECENT) % MINUTE),
  };
}
