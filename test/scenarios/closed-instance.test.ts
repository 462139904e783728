// What strangers learn from a closed instance: every route of the server, with no credentials, with wrong ones, and with valid ones
// that have no scopes.
import diagnostics from "node:diagnostics_channel";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderDocuments } from "../../src/api/references/documents.ts";
import { services } from "../../src/api/services.ts";
import { slugid, SLUGID_PATTERN } from "../../src/lib/slugid.ts";
import { routerPaths } from "../../src/server/core/http/path-parameters.ts";
import { exampleRequest, knownNames, methods, type Known, type Method } from "../support/contract-calls.ts";
import { streamOf } from "../support/event-stream-path.ts";
import { createPrivateData, mark } from "../support/private-data.ts";
import { rawText, type RawRequest } from "../support/raw-call.ts";
import { testStack, type Stack } from "../support/stack.ts";

const slugids = new RegExp(SLUGID_PATTERN.replace(/^\^|\$$/g, ""), "g");

type Stranger = Pick<RawRequest, "credentials" | "authorizedScopes" | "headers">;

const useless = { clientId: "static/useless", accessToken: "useless-useless-useless" };
const stream = streamOf("exchange/taskcluster-queue/v1/task-pending");
const store = "/artifact-store/*";

/** Every route that the server has, as `GET /path`. */
const routes = new Set<string>();
let stack: Stack;
let strangers: Readonly<Record<string, Stranger>>;
let known: Known;
let storeUrl: string;
/** The replies to strangers, before there was any data and after it was created. */
let before: ReadonlyMap<string, string>;
let after: ReadonlyMap<string, string>;

/** Collects the routes of a server that starts. Fastify announces its servers here. */
function watchRoutes(message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.add(`${one} ${url}`);
  });
}

beforeAll(async () => {
  diagnostics.subscribe("fastify.initialization", watchRoutes);
  stack = await testStack({
    roles: ["api"],
    config: {
      access: "closed",
      queue: { claimWorkTimeout: 50 },
      server: { metricsToken: "a-token-for-prometheus" },
      auth: { staticClients: [{ ...useless, scopes: [] }] },
    },
  });
  diagnostics.unsubscribe("fastify.initialization", watchRoutes);
  const { rootCredentials: root } = stack;
  strangers = {
    "no credentials": {},
    "credentials without scopes": { credentials: useless },
    "credentials that renounce all scopes": { credentials: root, authorizedScopes: [] },
    "a wrong token": { credentials: { ...root, accessToken: "wrong-wrong-wrong-wrong" } },
    "an unknown client": { credentials: { ...root, clientId: "static/nobody" } },
    "a bearer token": { headers: { authorization: "Bearer wrong-wrong-wrong" } },
  };
  before = await repliesToStrangers({ ...knownNames, taskId: [slugid()], taskGroupId: [slugid()] });
  ({ known, storeUrl } = await createPrivateData(stack));
  after = await repliesToStrangers(known);
});
afterAll(() => stack.stop());

const guarded = methods.filter(({ of }) => of.scopes !== undefined);

/** Returns a valid call of a method, but without a proof where one takes the place of scopes. */
function requestOf(method: Method, of: Known): RawRequest {
  const request = exampleRequest(method, of);
  if (method.name !== "worker-manager.registerWorker") return request;
  return { ...request, body: request.body?.replace(/"staticSecret":"./, '"staticSecret":"_') };
}

const documents = renderDocuments(Object.values(services)).map(({ path }) => path);

/** What is served beside methods, except for the artifact store, whose URLs are signed. */
function otherPaths(): string[] {
  const paths = [...routes].flatMap((route) => /^GET (?!\/api\/)(.*)/.exec(route)?.[1] ?? []);
  return [
    stream,
    ...paths
      .filter((path) => path !== store)
      .flatMap((path) =>
        path.endsWith("*") ? documents.filter((one) => one.startsWith(path.slice(0, -1))) : path,
      ),
  ];
}

/** Sends every request as strangers of two kinds. Returns the replies without ids and times, which differ from call to call. */
async function repliesToStrangers(of: Known): Promise<Map<string, string>> {
  const requests: (readonly [string, RawRequest])[] = [
    ...methods.map((method) => [method.name, requestOf(method, of)] as const),
    ...guarded
      .filter((method) => method.of.body !== undefined)
      .map(
        (method) => [`${method.name} with an empty body`, { ...requestOf(method, of), body: "{}" }] as const,
      ),
    ...otherPaths().map((path) => [path, { method: "GET", path }] as const),
  ];
  const replies = new Map<string, string>();
  for (const kind of ["no credentials", "credentials without scopes"])
    for (const [name, request] of requests) {
      const { status, text } = await rawText(stack.rootUrl, { ...request, ...strangers[kind] });
      const comparable = text
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
        .replaceAll(/"uptime":[\d.]+/g, "UPTIME")
        .replaceAll(slugids, "ID");
      replies.set(`${name} with ${kind}`, `${status} ${comparable}`);
    }
  return replies;
}

test("has private texts in its replies to callers with scopes, so that the tests below mean something", async () => {
  const { rootUrl, rootCredentials: credentials } = stack;
  const found = new Set<string>();
  for (const method of guarded.filter(({ of }) => of.method === "GET" && of.name !== "watchdog")) {
    const { text } = await rawText(rootUrl, { ...requestOf(method, known), credentials });
    if (text.includes(mark)) found.add(method.name.split(".")[0] ?? "");
  }
  expect([...found].toSorted()).toEqual([
    "auth",
    "index",
    "purge-cache",
    "queue",
    "secrets",
    "worker-manager",
  ]);
});

test("has no routes but methods of the contract, documents, events, metrics and the artifact store", () => {
  const declared = methods.flatMap(({ of, prefix }) =>
    routerPaths(of).map((path) => `${of.method} ${prefix}${path}`),
  );
  const known = new Set([...declared, "GET /api/events/v1/connect", `PUT ${store}`]);
  const others = [...routes].filter((route) => !/^(GET (?!\/api\/)|HEAD|OPTIONS)/.test(route));
  expect(others.filter((route) => !known.has(route))).toEqual([]);
  expect(declared.filter((route) => !routes.has(route))).toEqual([]);
});

test("replies to strangers as if it had no data, whatever they request", () => {
  expect(before.size).toBeGreaterThan(2 * (methods.length + 100));
  for (const [request, reply] of after) {
    expect(`${request}: ${reply}`).toBe(`${request}: ${before.get(request)}`);
    expect(reply).not.toContain(mark);
  }
});

test("refuses strangers every method that has scopes, events and metrics, and serves them only documents", () => {
  const isGuarded = (name: string): boolean =>
    guarded.some((method) => name === method.name) || ["/metrics", stream].includes(name);
  for (const [request, reply] of after) {
    const [, name = "", isEmpty] = /^(.*?)( with an empty body)? with (?:no|cred)/.exec(request) ?? [];
    const status = reply.slice(0, 3);
    if (isEmpty !== undefined) {
      // Nothing is needed to read nothing, and most bodies must have members.
      if (status === "200") expect(reply, request).toMatch(/^200 \{"\w+":\[\]\}$/);
      else expect(["400", "403"], request).toContain(status);
    } else if (isGuarded(name)) expect(`${request} ${status}`).toBe(`${request} 403`);
    else if (name.startsWith("/")) expect(`${request} ${status}`).toBe(`${request} 200`);
  }
  expect(after.get("/ with no credentials")).not.toMatch(/requested work|responds in/);
});

test("refuses other useless credentials every method that has scopes, and replies nothing private", async () => {
  for (const [kind, stranger] of Object.entries(strangers).slice(2))
    for (const [name, request, isGuarded] of [
      ...methods.map((one) => [one.name, requestOf(one, known), one.of.scopes !== undefined] as const),
      ...["/metrics", stream].flatMap((path) =>
        ["GET", "HEAD"].map((method) => [path, { method, path }, true] as const),
      ),
    ]) {
      const { status, text } = await rawText(stack.rootUrl, { ...request, ...stranger });
      const what = `${name} with ${kind}`;
      expect(text, what).not.toContain(mark);
      if (isGuarded) expect(`${what}: ${status}`).toBe(`${what}: ${/token|unknown/.test(kind) ? 401 : 403}`);
    }
});

test("serves no content of its artifact store without a signature, and takes none", async () => {
  for (const method of ["GET", "PUT"])
    for (const query of ["", "?expires=99999999999", "?expires=99999999999&signature=AAAA"]) {
      const { status, text } = await rawText(stack.rootUrl, { method, path: storeUrl + query });
      expect(`${query} ${status}`).toBe(`${query} 403`);
      expect(text).not.toContain(mark);
    }
});

test("shows metrics to callers with the scope, and to Prometheus with the token", async () => {
  const path = "/metrics";
  const { rootUrl, rootCredentials: credentials } = stack;
  const replies = [
    await rawText(rootUrl, {
      method: "GET",
      path,
      headers: { authorization: "Bearer a-token-for-prometheus" },
    }),
    await rawText(rootUrl, { method: "GET", path, credentials, authorizedScopes: ["server:metrics"] }),
  ];
  for (const { status, text } of replies) {
    expect(status).toBe(200);
    expect(text).toContain("http_requests_total");
  }
});
