// How lively a task queue has been in the last minutes.
import { timestamp, type QueueContext } from "../context.ts";
import { readQueueActivity } from "./store/queue-activity.ts";
import type { WorkerActivity } from "./activity-buffer.ts";

export interface QueueActivity {
  /** When any worker of the queue was last seen; undefined where none is known. To the second, as others wrote it. */
  readonly lastSeen: Date | undefined;
  /** Workers seen in the last ten minutes, and how many of them are in quarantine. */
  readonly recentWorkers: number;
  readonly recentQuarantined: number;
  /** Runs claimed in the last ten minutes (ten and what has passed of the current one). */
  readonly recentClaims: number;
  /** The time in which these were claimed, in milliseconds. */
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
