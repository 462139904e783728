// What every service answers about itself, and the process's metrics.
import type { FastifyInstance } from "fastify";
import type { monitoringEndpoints } from "../api/service.ts";
import { ApiError } from "../lib/errors.ts";
import type { Handler } from "./core/http/serve.ts";
import type { Metrics } from "./core/metrics.ts";

export interface MonitoringOptions {
  readonly version: Readonly<Record<string, string>>;
  /** Milliseconds since the process started. */
  readonly uptimeMs: () => number;
  /** Resolves where what the server stands on is well, rejects where it is not. */
  readonly check: () => Promise<void>;
}

export type MonitoringHandlers = {
  readonly [K in keyof typeof monitoringEndpoints]: Handler<(typeof monitoringEndpoints)[K]>;
};

/** The handlers of ping, lbheartbeat, version and heartbeat, the same for each service. */
export function monitoringHandlers(options: MonitoringOptions): MonitoringHandlers {
  return {
    ping: () => ({ alive: true, uptime: options.uptimeMs() / 1000 }),
    lbheartbeat: () => ({}),
    version: () => options.version,
    heartbeat: async () => {
      try {
        await options.check();
      } catch (err) {
        throw new ApiError("ServiceUnavailable", "The database cannot be reached at the moment.", {
          cause: err,
        });
      }
      return {};
    },
  };
}

/** `GET /metrics` in the text form of Prometheus. */
export function serveMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
