// What the queue's use cases stand on; made once by the composition root and handed to each.
import type { Clock } from "../../../lib/clock.ts";
import type { ArtifactStore } from "../../core/artifact-store/index.ts";
import type { Config } from "../../core/config.ts";
import type { Db } from "../../core/db.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Monitor } from "../../core/monitor.ts";
import type { WakeUps } from "../../core/wake-ups.ts";
import type { Objects } from "../object/index.ts";

export interface QueueContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly config: Config["queue"];
  readonly wakeUps: WakeUps;
  readonly monitor: Monitor;
  readonly metrics: Metrics;
  readonly artifacts: ArtifactStore;
  readonly objects: Objects;
  /** The client that signs the credentials of tasks. */
  readonly issuer: { readonly clientId: string; readonly accessToken: string };
}

/** The time as SQL and JSON take it. */
export const timestamp = (ctx: Pick<QueueContext, "clock">, offsetMs = 0): string =>
  new Date(ctx.clock.now() + offsetMs).toISOString();

/** Tells who waits: readers of the log always, claimers where runs became pending. Call it after the commit. */
export function wakeAfterCommit(
  ctx: Pick<QueueContext, "wakeUps">,
  pendingIn: Iterable<string | null> | null,
): void {
  for (const taskQueueId of pendingIn ?? [])
    if (taskQueueId !== null) ctx.wakeUps.wake(pendingTopic(taskQueueId));
  ctx.wakeUps.wake("events");
}

/** The wake-up topic of runs that became pending in a queue. */
export const pendingTopic = (taskQueueId: string): string => `pending:${taskQueueId}`;

/** The wake-up topic of runs that may have come to lie before what was handed out, in whatever queue. */
export const reorderedTopic = "reordered";
