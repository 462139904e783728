// The monitoring endpoints that every service has, and the metrics of the process.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { METRICS_SCOPE, type monitoringEndpoints } from "../api/service.ts";
import { ApiError } from "../lib/errors.ts";
import { requireScopes } from "./core/caller.ts";
import { equalInConstantTime } from "./core/constant-time.ts";
import type { Authenticate } from "./core/http/call.ts";
import { setApiHeaders } from "./core/http/headers.ts";
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

export interface MetricsAccess {
  readonly authenticate: Authenticate;
  /** A bearer token that gives access. */
  readonly token: string | undefined;
}

/** Serves `GET /metrics` in Prometheus' text format, to callers with the scope or the token. */
export function serveMetrics(app: FastifyInstance, metrics: Metrics, access: MetricsAccess): void {
  app.get("/metrics", async (request, reply) => {
    setApiHeaders(request, reply);
    requireAccess(request, access);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

function requireAccess(request: FastifyRequest, { authenticate, token }: MetricsAccess): void {
  const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  if (given === undefined) return requireScopes(authenticate(request, undefined), METRICS_SCOPE);
  if (token === undefined)
    throw new ApiError(
      "AuthenticationFailed",
      "This server has no bearer token for metrics: set server.metricsToken, or sign the request with Hawk.",
    );
  if (!equalInConstantTime(given, token))
    throw new ApiError(
      "AuthenticationFailed",
      "The bearer token must be that of server.metricsToken, and is not.",
    );
}
