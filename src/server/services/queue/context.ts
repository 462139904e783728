// The dependencies of the queue's use cases, created once and passed to each.
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
  readonly wakeUps: Pick<WakeUps, "subscribe">;
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
