// The HTTP server itself: limits, routing rules, and the paths that every process answers.
import Fastify, { type FastifyInstance } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Monitor } from "../monitor.ts";
import { readJsonBodies } from "./body.ts";
import { sendError, toApiError } from "./error-reply.ts";
import { setApiHeaders } from "./headers.ts";

export interface HttpServerOptions {
  readonly bodyLimit: number;
  readonly keepAliveTimeoutMs: number;
  readonly trustProxy: boolean;
  readonly version: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

/** A server without services; `serve` adds them. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: options.bodyLimit,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    trustProxy: options.trustProxy,
    // A long poll may be open when we stop; its handler ends it, so nothing is cut off.
    forceCloseConnections: "idle",
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: true,
      // Names of artifacts and secrets are longer than the router's default of 100.
      maxParamLength: 8192,
    },
    frameworkErrors: (err, request, reply) => {
      setApiHeaders(request, reply);
      const refused =
        err.code === "FST_ERR_BAD_URL"
          ? new ApiError("InvalidRequestArguments", `The path is not valid percent-encoding: ${request.url}`)
          : toApiError(err, options.monitor);
      return sendError(refused, request, reply, undefined, options.clock);
    },
  });
  readJsonBodies(app, options.bodyLimit);
  app.setErrorHandler((err, request, reply) => {
    setApiHeaders(request, reply);
    return sendError(toApiError(err, options.monitor), request, reply, undefined, options.clock);
  });
  app.setNotFoundHandler((request, reply) => {
    setApiHeaders(request, reply);
    return reply
      .code(404)
      .header("content-type", "application/json; charset=utf-8")
      .send('{\n  "error": "Not found"\n}');
  });
  app.get("/__version__", () => options.version);
  app.get("/__heartbeat__", () => ({}));
  app.get("/__lbheartbeat__", () => ({}));
  app.get("/robots.txt", (_request, reply) => reply.type("text/plain").send("User-Agent: *\nDisallow: /\n"));
  return app;
}
