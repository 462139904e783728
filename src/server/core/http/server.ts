// The HTTP server: limits, routing rules, and the paths that every process serves.
import Fastify, { type FastifyInstance } from "fastify";
import { ApiError } from "../../../lib/errors.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Monitor } from "../monitor.ts";
import { STRANGER_LIMIT } from "./admit-bodies.ts";
import { readJsonBodies } from "./body.ts";
import { frameworkError, sendError } from "./error-reply.ts";
import { compressReplies } from "./compression.ts";
import { limitConnections, type ConnectionLimits } from "./connection-limits.ts";
import { endConnectionsOnClose } from "./ending-connections.ts";
import { limitPipelining } from "./pipelining.ts";
import { limitUnreadReplies } from "./reply-memory.ts";
import { setApiHeaders } from "./headers.ts";
import { methodsOf, type Route } from "./near-route.ts";
import { nothingAt } from "./nothing-at.ts";
import { endSlowConnections } from "./slow-connections.ts";

export interface HttpServerOptions {
  readonly keepAliveTimeoutMs: number;
  readonly trustProxy: boolean;
  readonly connections?: ConnectionLimits;
  /** The maximum length of all replies that are sent concurrently, in characters. */
  readonly replyMemory?: number;
  readonly version: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

// Names of artifacts and secrets may exceed the router's default of 100.
const MAX_PARAM_LENGTH = 8192;

/** Requests on a connection that have no reply yet. */
const MAX_IN_FLIGHT = 16;

/** Errors of paths that the router rejects before it finds a route. */
const pathErrors: Readonly<Record<string, (url: string) => ApiError>> = {
  FST_ERR_BAD_URL: (url) =>
    new ApiError(
      "InvalidRequestArguments",
      `The path is not valid percent-encoding: ${url}. Write % itself as %25.`,
    ),
  FST_ERR_MAX_PARAM_LENGTH: () =>
    new ApiError(
      "InvalidRequestArguments",
      `A parameter of the path is longer than the limit of ${MAX_PARAM_LENGTH} characters.`,
    ),
};

/** Creates a server without services. `serve` adds them. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    // For paths without a method. Methods have their own limits.
    bodyLimit: STRANGER_LIMIT,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    trustProxy: options.trustProxy,
    // Not `true`: a long poll may be open at a stop, and its handler ends it.
    forceCloseConnections: "idle",
    // `endConnectionsOnClose` replies, in the format of all errors.
    return503OnClosing: false,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: true,
      maxParamLength: MAX_PARAM_LENGTH,
    },
    frameworkErrors: (err, request, reply) => {
      setApiHeaders(request, reply);
      const error =
        pathErrors[err.code]?.(request.url) ?? frameworkError(err, options.monitor, STRANGER_LIMIT);
      void sendError(error, request, reply, undefined, options.clock);
    },
  });
  limitPipelining(app, MAX_IN_FLIGHT);
  if (options.connections) limitConnections(app, options.connections);
  endConnectionsOnClose(app);
  endSlowConnections(app);
  if (options.replyMemory !== undefined) limitUnreadReplies(app, options.replyMemory);
  readJsonBodies(app);
  compressReplies(app);
  app.setErrorHandler((err, request, reply) => {
    setApiHeaders(request, reply);
    return sendError(
      frameworkError(err, options.monitor, STRANGER_LIMIT),
      request,
      reply,
      undefined,
      options.clock,
    );
  });
  const routes: Route[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat())
      if (one !== "HEAD" && one !== "OPTIONS") routes.push({ method: one, url });
  });
  app.setNotFoundHandler((request, reply) => {
    setApiHeaders(request, reply);
    return sendError(nothingAt(request, routes), request, reply, undefined, options.clock);
  });
  // One route for all paths, because a route for each costs every start.
  app.options("/api/*", (request, reply) => {
    const methods = new Set(methodsOf(routes, request.url.split("?", 1)[0] ?? ""));
    if (methods.size === 0) return reply.callNotFound();
    setApiHeaders(request, reply);
    const allow = [...methods, ...(methods.has("GET") ? ["HEAD"] : []), "OPTIONS"].join(",");
    return reply.header("allow", allow).send(allow);
  });
  app.get("/__version__", () => options.version);
  app.get("/__lbheartbeat__", () => ({}));
  app.get("/robots.txt", (_request, reply) => reply.type("text/plain").send("User-Agent: *\nDisallow: /\n"));
  return app;
}
