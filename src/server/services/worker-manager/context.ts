// The dependencies of the use cases of worker-manager.
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../../core/db.ts";
import type { KeyRing } from "../../core/encryption/key-ring.ts";
import type { MetricsOf } from "../../core/metrics.ts";
import type { Monitor } from "../../core/monitor.ts";
import type { ServiceClient } from "../../core/service-client.ts";
import type { SettingsOf } from "../../core/service.ts";
import type { WorkerUseCases } from "../queue/index.ts";
import type { metrics } from "./metrics.ts";
import type { settings } from "./settings.ts";

export interface WorkerManagerContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly metrics: MetricsOf<typeof metrics>;
  readonly keyRing: KeyRing;
  readonly config: SettingsOf<typeof settings>["workerManager"];
  readonly queue: Pick<WorkerUseCases, "getWorker" | "listWorkers">;
  /** The client that signs the credentials of workers. */
  readonly issuer: Pick<ServiceClient, "clientId" | "accessToken">;
}
