// Serves the methods of a contract: one route for each declaration, with the checks in their documented order.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { Endpoint, ReplyOf } from "../../../api/endpoint.ts";
import type { Service } from "../../../api/service.ts";
import type { Clock } from "../../../lib/clock.ts";
import { templateParams } from "../../../lib/scopes/render.ts";
import { parseJson, type Json } from "../json.ts";
import type { Monitor } from "../monitor.ts";
import { authorize } from "../caller.ts";
import { admitBodies, type BodyMemory, type BodyRoute } from "./admit-bodies.ts";
import { requiredBody } from "./body.ts";
import { callerKey, createCall, type Authenticate, type Call } from "./call.ts";
import { frameworkError, sendError, toApiError } from "./error-reply.ts";
import { setApiHeaders } from "./headers.ts";
import { pathParameters, routerPaths } from "./path-parameters.ts";
import type { HeavyCalls } from "./heavy-calls.ts";
import type { LongListLimits } from "./long-list.ts";
import { Reply, StreamReply } from "./replies.ts";
import { bodyCheck, checkParams, checkQuery, type BodyCheck } from "./validation.ts";
import { InternalError } from "../../../lib/internal-error.ts";

type Result<E extends Endpoint> = ReplyOf<E> | Json<ReplyOf<E>> | Reply | StreamReply;

/** Returns the reply of one method: a value, or JSON text, which is sent as it is. */
export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<Result<E>> | Result<E>;

/** A handler for each of some methods. */
export type HandlersOf<Es extends Service["endpoints"]> = { readonly [K in keyof Es]: Handler<Es[K]> };

/** A handler for each method of a service. */
export type Handlers<S extends Service> = HandlersOf<S["endpoints"]>;

export interface ServeOptions {
  readonly rootUrl: () => string;
  /** The maximum size of a body, in bytes, for methods that do not have their own. */
  readonly bodyLimit: number;
  /** For the calls of all services that read much. */
  readonly heavyCalls: HeavyCalls;
  /** For the large bodies of all services. */
  readonly bodyMemory: BodyMemory;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Whether replies are checked against their schemas, for tests. */
  readonly checkReplies: boolean;
  /** Called after each call. */
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
  const { bodyLimit: generalLimit } = options;
  const prefix = `/api/${service.name}/${service.version}`;
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
    const pathHoles = holesInPath(endpoint);
    const respond = pipeline(endpoint, handler, pathHoles, checkBody, count, options);
    const route: BodyRoute = {
      limit: bodyLimit,
      authorize(request, identity) {
        if (pathHoles) authorize(() => identity, endpoint, pathParameters(request, endpoint));
      },
    };
    const onRequest = admitBodies(route, options.authenticate, options.bodyMemory);
    for (const path of routerPaths(endpoint)) {
      app.route({
        // Otherwise the framework creates a second route for HEAD, which is a fifth of the start of a server.
        method: endpoint.method === "GET" ? ["GET", "HEAD"] : endpoint.method,
        url: prefix + path,
        bodyLimit,
        onRequest,
        config: {
          longList: limitsOf(body?.schema, longList, generalLimit),
          hasSecrets: endpoint.secretMembers !== undefined,
          isSigned: (request) => options.authenticate(request, null).clientId !== undefined,
        },
        // A compressor would delay data that is streamed.
        ...(endpoint.reply === "blob" && { compress: false as const }),
        handler: respond,
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
}

/** Returns the limits of the long list of a body. */
function limitsOf(
  schema: TSchema | undefined,
  name: string | undefined,
  elementLength: number,
): LongListLimits | undefined {
  if (schema === undefined || name === undefined) return undefined;
  const { properties = {} }: { properties?: Readonly<Record<string, { readonly maxItems?: number }>> } =
    schema;
  const elements = properties[name]?.maxItems;
  if (elements === undefined) throw new InternalError(`the long list ${name} has no maxItems`);
  return { name, elements, elementLength };
}

const schemasWithoutElements = new WeakMap<TSchema, TSchema>();

/** Returns the schema without that of the elements of the long list, which the handler checks. */
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
  pathHoles: readonly string[] | undefined,
  checkBody: BodyCheck | undefined,
  count: (request: FastifyRequest, reply: FastifyReply, ms: number) => void,
  options: ServeOptions,
) {
  const checkReply = options.checkReplies ? replyCheck(endpoint) : undefined;

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const start = options.clock.now();
    const params = pathParameters(request, endpoint);
    setApiHeaders(request, reply);
    try {
      const call = createCall(endpoint, request, params, options.authenticate, reply.raw);
      if (pathHoles) call.authorizeByPath(pathHoles);
      checkParams(endpoint, params);
      checkQuery(endpoint, request.query as Record<string, unknown>);
      if (checkBody) {
        const { value, text } = requiredBody(request);
        checkBody(value, text.length);
      }
      const result = await (endpoint.heavy === undefined
        ? handler(call)
        : options.heavyCalls.run(callerKey(call), endpoint.heavy, () => handler(call)));
      if (!call.authorized)
        throw new InternalError(`${endpoint.name} replied without having authorized its caller`);
      checkReply?.(result);
      return send(reply, result);
    } catch (err) {
      return sendError(toApiError(err, options.monitor, request), request, reply, endpoint, options.clock);
    } finally {
      count(request, reply, options.clock.now() - start);
    }
  };
}

/** Returns the holes of the endpoint's scopes if all are parameters of the path: then they are checked first. */
function holesInPath({ scopes, params = {} }: Endpoint): readonly string[] | undefined {
  if (scopes === undefined) return undefined;
  const holes = templateParams(scopes);
  const areInPath = holes.every(({ kind, name }) => kind === "text" && Object.hasOwn(params, name));
  return areInPath ? holes.map(({ name }) => name) : undefined;
}

function send(reply: FastifyReply, result: unknown): FastifyReply {
  if (result === undefined || result === null) return reply.code(204).send();
  if (result instanceof StreamReply) return reply.headers(result.headers).send(result.body);
  if (result instanceof Reply) {
    reply.code(result.status).headers(result.headers);
    return sendJson(reply, JSON.stringify(result.body));
  }
  // No method replies with a plain string.
  return sendJson(reply, typeof result === "string" ? result : JSON.stringify(result));
}

const sendJson = (reply: FastifyReply, text: string): FastifyReply =>
  reply.header("content-type", "application/json; charset=utf-8").send(text);

const compiledReplies = new WeakMap<TSchema, ReturnType<typeof Compile>>();

function valueOf(result: unknown): unknown {
  if (result instanceof Reply) return result.body;
  return typeof result === "string" ? parseJson(result as Json<unknown>) : result;
}

/** Returns a check that throws for a reply that does not match its schema, with the paths. For tests. */
function replyCheck(endpoint: Endpoint): ((result: unknown) => void) | undefined {
  if (endpoint.reply === undefined || endpoint.reply === "blob") return undefined;
  const { schema, file } = endpoint.reply;
  return (result) => {
    if (result instanceof Reply && !result.followsSchema) return;
    const value = valueOf(result);
    // Compiled on first use and cached, since tests start dozens of servers in one process.
    let validator = compiledReplies.get(schema);
    if (validator === undefined) compiledReplies.set(schema, (validator = Compile(schema)));
    if (!validator.Check(value))
      throw new InternalError(
        `The reply of ${endpoint.name} does not match ${file}: ${JSON.stringify(validator.Errors(value))}\n${JSON.stringify(value)}`,
      );
  };
}
