// The activity of a task queue in the last minutes.
import { timestamp, type QueueContext } from "../context.ts";
import { readQueueActivity } from "./store/queue-activity.ts";
import type { WorkerActivity } from "./activity-buffer.ts";

export interface QueueActivity {
  /** When any worker of the queue was last seen; undefined if none is known. Other processes may be a second behind. */
  readonly lastSeen: Date | undefined;
  /** The number of workers seen in the last ten minutes, and of those in quarantine. */
  readonly recentWorkers: number;
  readonly recentQuarantined: number;
  /** The number of runs claimed in the last ten complete minutes and the current one. */
  readonly recentClaims: number;
  /** The duration of these minutes until now, in milliseconds. */
  readonly recentClaimsMs: number;
}

const MINUTE = 60_000;
const RECENT = 10 * MINUTE;

export async function queueActivity(
  ctx: Pick<QueueContext, "db" | "clock">,
  activity: WorkerActivity,
  taskQueueId: string,
): Promise<QueueActivity> {
  await activity.flush();
  const row = await readQueueActivity(ctx.db, taskQueueId, timestamp(ctx), timestamp(ctx, -RECENT));
  return {
    lastSeen: row.last_seen ?? undefined,
    recentWorkers: row.recent_workers,
    recentQuarantined: row.recent_quarantined,
    recentClaims: row.recent_claims,
    recentClaimsMs: RECENT + ((ctx.clock.now() - RECENT) % MINUTE),
  };
}
