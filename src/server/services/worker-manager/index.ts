// Public API of the worker-manager service.
import { workerManagerApi } from "../../../api/worker-manager/index.ts";
import { defineService } from "../../core/service.ts";
import type { WorkerUseCases } from "../queue/index.ts";
import type { WorkerManagerContext } from "./context.ts";
import { expireErrors } from "./errors/expire-errors.ts";
import { workerManagerHandlers } from "./handlers.ts";
import { logs } from "./logs.ts";
import { metrics } from "./metrics.ts";
import { cleanUpPools } from "./pools/clean-up.ts";
import { poolSecrets } from "./pools/store/secrets.ts";
import { issuerScopes } from "./registration/credentials.ts";
import { scopeParams } from "./scope-params.ts";
import { settings } from "./settings.ts";
import { workerManagerUseCases } from "./use-cases.ts";
import { expireWorkers, stopSilent } from "./workers/expire-workers.ts";
import { GAUGES_INTERVAL_MS, refreshGauges } from "./workers/gauges.ts";
import { staticSecrets } from "./workers/store/workers.ts";

/** The client that signs the credentials of workers. */
const client = {
  clientId: "static/taskcluster/worker-manager",
  description: "Worker-manager: signs the credentials of workers.",
  scopes: issuerScopes,
} as const;

export const workerManagerService = defineService({
  api: workerManagerApi,
  settings,
  metrics,
  logs,
  client,
  scopeParams,
  encrypted: [poolSecrets, staticSecrets],
  create(platform, { queue }: { readonly queue: WorkerUseCases }) {
    const { db, clock, monitor, metrics: own, keyRing, client: issuer } = platform;
    const config = platform.config.workerManager;
    const ctx: WorkerManagerContext = { db, clock, monitor, metrics: own, keyRing, config, queue, issuer };
    const useCases = workerManagerUseCases(ctx);
    const intervalMs = config.loopInterval;
    return {
      handlers: workerManagerHandlers(useCases),
      provides: useCases,
      loops: [
        { name: "silent-workers", intervalMs, runOnce: stopSilent(ctx) },
        { name: "pool-worker-expiry", intervalMs, runOnce: expireWorkers(ctx) },
        { name: "worker-pool-error-expiry", intervalMs, runOnce: expireErrors(ctx) },
        { name: "deleted-worker-pools", intervalMs, runOnce: cleanUpPools(ctx) },
        { name: "worker-pool-gauges", intervalMs: GAUGES_INTERVAL_MS, runOnce: refreshGauges(ctx) },
      ],
    };
  },
});
