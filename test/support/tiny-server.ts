// A server with a contract of a few methods, for tests of the HTTP core.
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { endpoint } from "../../src/api/endpoint.ts";
import { exactly, named } from "../../src/api/schema.ts";
import { service } from "../../src/api/service.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { ApiError } from "../../src/lib/errors.ts";
import { compileScopes } from "../../src/lib/scopes/scope-set.ts";
import { allOf, anyOf, forEach } from "../../src/lib/scopes/template.ts";
import type { Authenticate } from "../../src/server/core/http/call.ts";
import { createBodyMemory } from "../../src/server/core/http/admit-bodies.ts";
import { createHeavyCalls } from "../../src/server/core/http/heavy-calls.ts";
import { serve, type Handlers, type ServeOptions } from "../../src/server/core/http/serve.ts";
import { createHttpServer } from "../../src/server/core/http/server.ts";
import { testMonitor } from "./monitor.ts";

const common = { category: "Tests", stability: "stable", title: "…", description: "…" } as const;
const Thing = exactly({
  kind: Type.String({ pattern: "^[a-z]+$" }),
  size: Type.Integer({ default: 1, minimum: 1 }),
  parts: Type.Array(Type.String({ maxLength: 5 }), { default: [], maxItems: 100, uniqueItems: true }),
  secret: Type.Optional(Type.String()),
  nested: Type.Optional(exactly({ deep: Type.String({ default: "filled in" }) })),
  anything: Type.Optional(Type.Unsafe<unknown>({})),
});
const Anything = named("v1/anything.json", Type.Unsafe<unknown>({}));

export const tinyApi = service({
  name: "tiny",
  version: "v1",
  title: "Tiny",
  description: "…",
  exchanges: {},
  endpoints: {
    open: endpoint({ ...common, method: "GET", path: "/open", name: "open", reply: "blob" }),
    read: endpoint({
      ...common,
      method: "GET",
      path: "/things/:id",
      params: { id: /^[a-z]{1,8}$/ },
      query: { limit: /^[0-9]+$/, after: /./ },
      name: "read",
      scopes: "tiny:read:<id>",
      reply: Anything,
    }),
    write: endpoint({
      ...common,
      method: "PUT",
      path: "/things/:id",
      params: { id: /^[a-z]{1,8}$/ },
      name: "write",
      // Needs a member of the body, so its scopes are checked by the handler.
      scopes: allOf(
        "tiny:write:<kind>",
        anyOf(forEach("part", "parts", "tiny:part:<part>"), "tiny:all-parts"),
      ),
      body: named("v1/thing.json", Thing),
      secretMembers: ["secret"],
      reply: Anything,
    }),
    path: endpoint({
      ...common,
      method: "GET",
      path: "/paths/:id/*rest",
      params: { id: /./, rest: /^[\x20-\x7e]+$/ },
      name: "path",
      reply: Anything,
    }),
    rename: endpoint({
      ...common,
      method: "PUT",
      path: "/things/:id/name",
      params: { id: /^[a-z]{1,8}$/ },
      name: "rename",
      scopes: "tiny:write:<id>",
      reply: Anything,
    }),
    send: endpoint({ ...common, method: "POST", path: "/send", name: "send", reply: Anything }),
    typed: endpoint({
      ...common,
      method: "GET",
      path: "/typed",
      name: "typed",
      reply: named("v1/typed.json", exactly({ n: Type.Integer() })),
    }),
    guarded: endpoint({
      ...common,
      method: "POST",
      path: "/guarded",
      name: "guarded",
      scopes: "tiny:guarded:<what>",
      reply: Anything,
    }),
  },
});

export type TinyHandlers = Handlers<typeof tinyApi>;

/** Return their arguments. */
const echoing: TinyHandlers = {
  open: () => ({}),
  read: (call) => ({ params: call.params, query: call.query }),
  write: (call) => {
    call.caller.authorize(tinyApi.endpoints.write, call.body);
    return call.body;
  },
  path: (call) => call.params,
  rename: (call) => call.params,
  send: (call) => ({ body: call.body ?? null }),
  typed: () => ({ n: 1 }),
  guarded: (call) => {
    call.caller.authorize(tinyApi.endpoints.guarded, { what: "it" });
    return {};
  },
};

/** Scopes by client id, which is in the header `x-caller`. The client `forger` is refused. */
const callers: Readonly<Record<string, readonly string[]>> = {
  root: ["*"],
  reader: ["tiny:read:*"],
  narrow: ["tiny:read:abc"],
  writer: ["tiny:write:toy", "tiny:part:a"],
};

export interface TinyServer {
  readonly app: FastifyInstance;
  /** Every record that the server logged. */
  readonly records: readonly Record<string, unknown>[];
  /** The raw bodies passed to authentication. */
  readonly rawBodies: (string | undefined)[];
  readonly calls: Parameters<NonNullable<ServeOptions["onCall"]>>[0][];
  /** Listens on a free port and returns it, for tests that need a real connection. */
  listen(): Promise<number>;
}

/** Creates the server. Close its `app` at the end. */
export function tinyServer(
  handlers: Partial<TinyHandlers> = {},
  options: Partial<Pick<ServeOptions, "checkReplies" | "bodyLimit">> & { bodyMemory?: number } = {},
): TinyServer {
  const { monitor, records } = testMonitor();
  const { bodyLimit = 100_000, bodyMemory = 2 ** 30, checkReplies = true } = options;
  const rawBodies: (string | undefined)[] = [];
  const calls: TinyServer["calls"] = [];
  const authenticate: Authenticate = (request, rawBody) => {
    rawBodies.push(rawBody ?? undefined);
    const clientId = request.headers["x-caller"] as string | undefined;
    if (clientId === "forger") throw new ApiError("AuthenticationFailed", "Unauthorized: Bad mac");
    return { clientId, scopes: compileScopes(callers[clientId ?? ""] ?? []), expires: Infinity };
  };
  const app = createHttpServer({
    // Longer than a test may take, so that a test which waits for an idle connection to be closed fails.
    keepAliveTimeoutMs: 120_000,
    trustProxy: false,
    version: { version: "1.2.3", commit: "", source: "", build: "" },
    clock: systemClock,
    monitor,
  });
  const served: ServeOptions = {
    rootUrl: () => "https://ci.example.com",
    bodyLimit,
    bodyMemory: createBodyMemory(bodyMemory, systemClock),
    heavyCalls: createHeavyCalls({ places: 4, clock: systemClock }),
    authenticate,
    clock: systemClock,
    monitor,
    checkReplies,
    onCall: (call) => calls.push(call),
  };
  serve(app, tinyApi, { ...echoing, ...handlers }, served);
  return {
    app,
    records,
    rawBodies,
    calls,
    async listen() {
      await app.listen({ host: "127.0.0.1", port: 0 });
      // The address of a TCP server is an object.
      return (app.server.address() as AddressInfo).port;
    },
  };
}
