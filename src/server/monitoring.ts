// The monitoring endpoints that every service has, and the metrics of the process.
import type { FastifyInstance } from "fastify";
import type { monitoringEndpoints } from "../api/service.ts";
import type { Handler } from "./core/http/serve.ts";
import type { Metrics } from "./core/metrics.ts";

export interface MonitoringOptions {
  readonly version: Readonly<Record<string, string>>;
  /** Milliseconds since the process started. */
  readonly uptimeMs: () => number;
  /** Resolves if everything that the server depends on works, and throws an ApiError that says what does not. */
  readonly check: () => Promise<void>;
}

export type MonitoringHandlers = {
  readonly [K in keyof typeof monitoringEndpoints]: Handler<(typeof monitoringEndpoints)[K]>;
};

/** Returns the handlers of ping, lbheartbeat, version and heartbeat, which all services share. */
export function monitoringHandlers(options: MonitoringOptions): MonitoringHandlers {
  return {
    ping: () => ({ alive: true, uptime: options.uptimeMs() / 1000 }),
    lbheartbeat: () => ({}),
    version: () => options.version,
    heartbeat: async () => {
      await options.check();
      return {};
    },
  };
}

/** Serves `GET /__heartbeat__`, as Dockerflow wants it at the root too. */
export function serveHeartbeat(app: FastifyInstance, check: () => Promise<void>): void {
  app.get("/__heartbeat__", async () => {
    await check();
    return {};
  });
}

/** Serves `GET /metrics` in Prometheus' text format. */
export function serveMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
