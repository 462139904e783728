// What the queue's use cases depend on. Created once and passed to each.
import type { Clock } from "../../../lib/clock.ts";
import type { ArtifactStore } from "../../core/artifact-store/index.ts";
import type { Db } from "../../core/db.ts";
import type { MetricsOf } from "../../core/metrics.ts";
import type { Monitor } from "../../core/monitor.ts";
import type { ServiceClient, ServiceClientDeclaration } from "../../core/service-client.ts";
import type { Platform, SettingsOf } from "../../core/service.ts";
import type { WakeUps } from "../../core/wake-ups.ts";
import type { Objects } from "../object/index.ts";
import type { metrics } from "./metrics.ts";
import type { settings } from "./settings.ts";

export type QueuePlatform = Platform<typeof settings, typeof metrics, ServiceClientDeclaration>;

export interface QueueContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly config: SettingsOf<typeof settings>["queue"];
  readonly wakeUps: WakeUps;
  readonly monitor: Monitor;
  readonly metrics: MetricsOf<typeof metrics>;
  readonly artifacts: ArtifactStore;
  readonly objects: Objects;
  /** The client that signs the credentials of tasks. */
  readonly issuer: Pick<ServiceClient, "clientId" | "accessToken">;
}

export const createContext = (platform: QueuePlatform, objects: Objects): QueueContext => ({
  db: platform.db,
  clock: platform.clock,
  config: platform.config.queue,
  wakeUps: platform.wakeUps,
  monitor: platform.monitor,
  metrics: platform.metrics,
  artifacts: platform.artifacts,
  objects,
  issuer: platform.client,
});

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
