// Serves the methods of a contract: from each declaration one route, with the checks in their documented order.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { Endpoint, ReplyOf } from "../../../api/endpoint.ts";
import type { Service } from "../../../api/service.ts";
import type { Clock } from "../../../lib/clock.ts";
import { templateParams } from "../../../lib/scopes/render.ts";
import type { Monitor } from "../monitor.ts";
import { requiredBody } from "./body.ts";
import { createCall, type Authenticate, type Call } from "./call.ts";
import { frameworkError, sendError, toApiError } from "./error-reply.ts";
import { setApiHeaders } from "./headers.ts";
import { limitLargeBodies } from "./large-bodies.ts";
import { pathParameters, routerPaths } from "./path-parameters.ts";
import { NO_CLAIM, RawJson, Reply, StreamReply } from "./replies.ts";
import { bodyCheck, checkParams, checkQuery, type BodyCheck } from "./validation.ts";

/** What answers one method. A promise of the reply, in any of the forms that `send` below knows. */
export type Handler<E extends Endpoint> = (
  call: Call<E>,
) => Promise<ReplyOf<E> | RawJson | Reply | StreamReply> | ReplyOf<E> | RawJson | Reply | StreamReply;

/** A handler for each method of a service. */
export type Handlers<S extends Service> = {
  readonly [K in keyof S["endpoints"]]: Handler<S["endpoints"][K]>;
};

export interface ServeOptions {
  readonly rootUrl: () => string;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Checks replies against their schemas: on in tests, where a wrong reply is a bug of ours. */
  readonly checkReplies: boolean;
  /** Told of each call when it was answered. */
  readonly onCall?: (call: {
    service: string;
    name: string;
    method: string;
    status: number;
    ms: number;
  }) => void;
}

/** Adds the routes of `service` to `app`. */
export function serve<S extends Service>(
  app: FastifyInstance,
  service: S,
  handlers: Handlers<S>,
  options: ServeOptions,
): void {
  const generalLimit = app.initialConfig.bodyLimit ?? 0;
  const prefix = `/api/${service.name}/${service.version}`;
  const methodsOf = new Map<string, Set<string>>();
  for (const [key, endpoint] of Object.entries(service.endpoints)) {
    const handler = handlers[key as keyof S["endpoints"]] as Handler<Endpoint>;
    const { body, bodyLimit = generalLimit, longList } = endpoint;
    const schemaUrl = (): string => `${options.rootUrl()}/schemas/${service.name}/${body?.file ?? ""}#`;
    const checkBody =
      body &&
      bodyCheck(longList === undefined ? body.schema : withoutElements(body.schema, longList), schemaUrl);
    const count = (request: FastifyRequest, reply: FastifyReply, ms: number): void =>
      options.onCall?.({
        service: service.name,
        name: endpoint.name,
        method: request.method,
        status: reply.statusCode,
        ms,
      });
    const answer = pipeline(endpoint, handler, checkBody, count, options);
    for (const path of routerPaths(endpoint)) {
      const url = prefix + path;
      const methods = methodsOf.get(url) ?? new Set();
      methodsOf.set(url, methods.add(endpoint.method));
      app.route({
        method: endpoint.method,
        url,
        bodyLimit,
        ...(bodyLimit > generalLimit && { onRequest: limitLargeBodies(generalLimit, options.authenticate) }),
        config: { longList },
        // What is sent as it comes must not wait for company in a compressor.
        ...(endpoint.reply === "blob" && { compress: false as const }),
        handler: answer,
        errorHandler: (err, request, reply) => {
          setApiHeaders(request, reply);
          void sendError(
            frameworkError(err, options.monitor, bodyLimit),
            request,
            reply,
            endpoint,
            options.clock,
          );
          count(request, reply, 0);
        },
      });
    }
  }
  for (const [url, methods] of methodsOf) {
    const allow = [...methods, ...(methods.has("GET") ? ["HEAD"] : []), "OPTIONS"].join(",");
    app.options(url, (request, reply) => {
      setApiHeaders(request, reply);
      return reply.header("allow", allow).send(allow);
    });
  }
}

const schemasWithoutElements = new WeakMap<TSchema, TSchema>();

/** Returns the schema for all but the elements of the long list, which the handler checks. */
function withoutElements(schema: TSchema, list: string): TSchema {
  const cached = schemasWithoutElements.get(schema);
  if (cached) return cached;
  const { properties = {} }: { properties?: Readonly<Record<string, object>> } = schema;
  const open = { ...schema, properties: { ...properties, [list]: { ...properties[list], items: {} } } };
  // The same object each time, since compiled schemas are cached by identity.
  schemasWithoutElements.set(schema, open);
  return open;
}

function pipeline(
  endpoint: Endpoint,
  handler: Handler<Endpoint>,
  checkBody: BodyCheck | undefined,
  count: (request: FastifyRequest, reply: FastifyReply, ms: number) => void,
  options: ServeOptions,
) {
  const pathParams = new Set(Object.keys(endpoint.params ?? {}));
  // Scopes whose holes are all parameters of the path can be checked before anything else is looked at.
  const early =
    endpoint.scopes !== undefined &&
    templateParams(endpoint.scopes).every((p) => p.kind === "text" && pathParams.has(p.name));
  const checkReply = options.checkReplies ? replyCheck(endpoint) : undefined;

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const start = options.clock.now();
    const params = pathParameters(request, endpoint);
    setApiHeaders(request, reply);
    try {
      const call = createCall(endpoint, request, params, options.authenticate, reply.raw);
      // Which parameters the scopes need was found out above, so this is the one call that types cannot check.
      if (early) (call.authorize as (params: Record<string, string>) => void)(params);
      checkParams(endpoint, params);
      checkQuery(endpoint, request.query as Record<string, unknown>);
      if (checkBody) {
        const { value, text } = requiredBody(request);
        checkBody(value, text.length);
      }
      const result = await handler(call);
      if (!call.authorized) throw new Error(`${endpoint.name} replied without having authorized its caller`);
      checkReply?.(result);
      return send(reply, result);
    } catch (err) {
      return sendError(toApiError(err, options.monitor), request, reply, endpoint, options.clock);
    } finally {
      count(request, reply, options.clock.now() - start);
    }
  };
}

function send(reply: FastifyReply, result: unknown): FastifyReply {
  if (result === undefined || result === null) return reply.code(204).send();
  if (result instanceof StreamReply) return reply.headers(result.headers).send(result.body);
  if (result instanceof Reply) {
    reply.code(result.status).headers(result.headers);
    return sendJson(reply, JSON.stringify(result.body));
  }
  return sendJson(reply, result instanceof RawJson ? result.text : JSON.stringify(result));
}

const sendJson = (reply: FastifyReply, text: string): FastifyReply =>
  reply.header("content-type", "application/json; charset=utf-8").send(text);

const compiledReplies = new WeakMap<TSchema, ReturnType<typeof Compile>>();

/** Returns a check that throws for a reply that does not match its schema, naming the place; for tests. */
function replyCheck(endpoint: Endpoint): ((result: unknown) => void) | undefined {
  if (endpoint.reply === undefined || endpoint.reply === "blob") return undefined;
  const { schema, file } = endpoint.reply;
  return (result) => {
    // A reply with its own status (a redirect, a 424) has its own shape too.
    if ((result instanceof Reply && result.status !== 200) || result === NO_CLAIM) return;
    const value =
      result instanceof RawJson ? JSON.parse(result.text) : result instanceof Reply ? result.body : result;
    // Compiled on first use and cached, since tests start dozens of servers in one process.
    let validator = compiledReplies.get(schema);
    if (validator === undefined) compiledReplies.set(schema, (validator = Compile(schema)));
    if (!validator.Check(value))
      throw new Error(
        `The reply of ${endpoint.name} does not fit ${file}: ${JSON.stringify(validator.Errors(value))}\n${JSON.stringify(value)}`,
      );
  };
}
