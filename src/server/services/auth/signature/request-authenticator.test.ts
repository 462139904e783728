import Fastify, { type FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import { testDirectory } from "../../../../../test/support/client-directory.ts";
import { manualClock } from "../../../../../test/support/clock.ts";
import { peerBewit, peerHeader } from "../../../../../test/support/hawk-peer.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { encodeExt } from "../../../../lib/hawk.ts";
import { createMetrics, declareMetrics, type MetricsOf } from "../../../core/metrics.ts";
import { createAuthenticator } from "./authenticate.ts";
import { metrics as declared } from "../metrics.ts";
import { createRequestAuthenticator } from "./request-authenticator.ts";

const root = { id: "static/taskcluster/root", key: "the-token-of-the-root-client" };

/** Returns a server with one route, which returns the caller's client id or the refusal. */
function app(
  rootUrl: string,
  {
    trustProxy = false,
    otherSites = false,
    metrics,
  }: { trustProxy?: boolean; otherSites?: boolean; metrics?: MetricsOf<typeof declared> } = {},
): FastifyInstance {
  const clock = manualClock(Date.now());
  const client = { scopes: ["*"], expires: clock.now() + 3_600_000, disabled: false };
  const clients = testDirectory(
    [{ clientId: root.id, accessToken: root.key, ...client }],
    [{ roleId: "anonymous", scopes: ["a"] }],
  );
  const authenticate = createAuthenticator({ clients, view: clients.view, clock, hawkSkewMs: 900_000 });
  const check = createRequestAuthenticator(
    { rootUrl: () => rootUrl, trustProxy, otherSites, ...(metrics && { metrics }) },
    authenticate,
  );
  const server = Fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  server.all("*", (request) => {
    try {
      // Like a method that authenticates its caller before it reads the body.
      const isBodyPending = request.url === "/before-the-body";
      const rawBody = isBodyPending ? null : typeof request.body === "string" ? request.body : undefined;
      const { clientId = null, scopes } = check(request, rawBody);
      return request.url === "/scopes" ? scopes.list : { clientId };
    } catch (err) {
      if (err instanceof ApiError) return { code: err.code, message: err.message };
      throw err;
    }
  });
  return server;
}

/** Returns the reply to a GET that was signed for `url` and sent with these headers. */
async function replyTo(
  server: FastifyInstance,
  url: string,
  headers: Record<string, string>,
): Promise<unknown> {
  const { pathname, search } = new URL(url);
  const authorization = peerHeader(url, "GET", root);
  const reply = await server.inject({ url: pathname + search, headers: { ...headers, authorization } });
  return reply.json();
}

const accepted = { clientId: root.id };
const refused = {
  code: "AuthenticationFailed",
  message: expect.stringMatching(/^Unauthorized: Bad mac\. Check the access token/),
};

test("host and port are taken from the Host header", async () => {
  const server = app("http://localhost:8080");
  expect(await replyTo(server, "http://localhost:8080/a?b=%2F", { host: "localhost:8080" })).toEqual(
    accepted,
  );
  expect(await replyTo(server, "http://LOCALHOST:8080/a", { host: "localhost:8080" })).toEqual(accepted);
  expect(await replyTo(server, "http://10.0.0.7:9/a", { host: "10.0.0.7:9" })).toEqual(accepted);
  expect(await replyTo(server, "http://localhost:8082/a", { host: "localhost:8081" })).toEqual(refused);
  expect(await replyTo(server, "http://localhost:8082/a", { host: "localhost:x" })).toEqual(refused);
});

test("a Host without a port has the root URL's port if the name matches, otherwise 80", async () => {
  const behindTls = app("https://ci.example.com");
  expect(await replyTo(behindTls, "https://ci.example.com/a", { host: "ci.example.com" })).toEqual(accepted);
  expect(await replyTo(behindTls, "http://inner/a", { host: "inner" })).toEqual(accepted);
  const otherPort = app("http://ci.example.com:8080");
  expect(await replyTo(otherPort, "http://ci.example.com:8080/a", { host: "ci.example.com" })).toEqual(
    accepted,
  );
  const defaultPort = app("http://ci.example.com");
  expect(await replyTo(defaultPort, "http://ci.example.com/a", { host: "CI.example.com" })).toEqual(accepted);
});

test("headers of a trusted proxy take precedence over the Host header", async () => {
  const server = app("http://inner", { trustProxy: true });
  const host = "ci.example.com:8080";
  const headers = (forwarded: Record<string, string>) => ({ host, ...forwarded });
  const toTls = headers({ "x-forwarded-proto": "https" });
  expect(await replyTo(server, "https://ci.example.com/a", toTls)).toEqual(accepted);
  const toPort = headers({ "x-forwarded-proto": "https", "x-forwarded-port": "8443, 80" });
  expect(await replyTo(server, "https://ci.example.com:8443/a", toPort)).toEqual(accepted);
  const toPlain = headers({ "x-forwarded-proto": "http" });
  expect(await replyTo(server, "http://ci.example.com:8080/a", toPlain)).toEqual(accepted);
});

test("without a trusted proxy, its headers are ignored", async () => {
  const headers = { host: "ci.example.com:8080", "x-forwarded-port": "443", "x-forwarded-proto": "https" };
  const server = app("http://inner");
  expect(await replyTo(server, "http://ci.example.com:8080/a", headers)).toEqual(accepted);
  expect(await replyTo(server, "https://ci.example.com/a", headers)).toEqual(refused);
});

test("a caller without credentials has no client id", async () => {
  const reply = await app("http://localhost").inject({ url: "/" });
  expect(reply.json()).toEqual({ clientId: null });
});

test("behind a proxy that rewrites Host, the authority of the root URL is accepted, and no other", async () => {
  const server = app("https://ci.example.com");
  for (const host of ["backend:8080", "127.0.0.1:8080", "[::1]:1"]) {
    expect(await replyTo(server, "https://ci.example.com/a", { host })).toEqual(accepted);
    expect(await replyTo(server, "http://ci.example.com/a", { host })).toEqual(refused);
    expect(await replyTo(server, "https://other.example.com/a", { host })).toEqual(refused);
  }
  const bewit = peerBewit("https://ci.example.com/a", root);
  const reply = await server.inject({ url: `/a?bewit=${bewit}`, headers: { host: "backend" } });
  expect(reply.json()).toEqual(accepted);
});

test.each([
  [undefined, ["a", "assume:anonymous"]],
  ["http://localhost:8080", ["a", "assume:anonymous"]],
  ["https://ci.example.com", ["a", "assume:anonymous"]],
  ["http://localhost:3000", []],
  ["https://evil.example.com", []],
  ["null", []],
])("a caller without credentials and with the origin %s has the scopes %j", async (origin, scopes) => {
  const headers = { host: "localhost:8080", ...(origin !== undefined && { origin }) };
  const url = "/scopes";
  expect((await app("https://ci.example.com").inject({ url, headers })).json()).toEqual(scopes);
  const open = await app("https://ci.example.com", { otherSites: true }).inject({ url, headers });
  expect(open.json()).toEqual(["a", "assume:anonymous"]);
});

test("a signed body must equal the received one", async () => {
  const server = app("http://localhost");
  const url = "http://localhost/a";
  const send = async (signed: string, sent: string, contentType = "application/json") => {
    const authorization = peerHeader(url, "POST", root, { payload: signed, contentType: "application/json" });
    const headers = { host: "localhost", authorization, "content-type": contentType };
    return (await server.inject({ method: "POST", url: "/a", headers, payload: sent })).json() as unknown;
  };
  expect(await send('{"a":1}', '{"a":1}')).toEqual(accepted);
  expect(await send('{"a":1}', '{"a":1}', "application/json; charset=utf-8")).toEqual(accepted);
  const problem = {
    code: "AuthenticationFailed",
    message: expect.stringContaining("Invalid payload hash: "),
  };
  expect(await send('{"a":1}', '{"a":2}')).toEqual(problem);
  expect(await send('{"a":1}', '{"a":1}', "text/plain")).toEqual(problem);
});

test("the hash of an empty body, which some clients always send, is accepted without a body", async () => {
  const url = "http://localhost/a";
  const authorization = peerHeader(url, "GET", root, { payload: "", contentType: "" });
  const headers = { host: "localhost", authorization };
  expect((await app("http://localhost").inject({ url: "/a", headers })).json()).toEqual(accepted);
});

test("a body that is not read yet is not compared with its hash, but the signature is checked", async () => {
  const server = app("http://localhost");
  const send = async (key: string) => {
    const url = "http://localhost/before-the-body";
    const signed = { payload: "abc", contentType: "text/plain" };
    const authorization = peerHeader(url, "POST", { ...root, key }, signed);
    const headers = { host: "localhost", authorization, "content-type": "text/plain" };
    return (
      await server.inject({ method: "POST", url: "/before-the-body", headers, payload: "xyz" })
    ).json() as unknown;
  };
  expect(await send(root.key)).toEqual(accepted);
  expect(await send("some-other-key")).toEqual(refused);
});

test("accepted requests are counted by scheme, refused ones by reason too", async () => {
  const { registry } = createMetrics();
  const metrics = declareMetrics(registry, declared);
  const url = "http://localhost:8080/a";
  const server = app("http://localhost:8080", { metrics });
  const send = (headers: Record<string, string>, query = "") =>
    server.inject({ url: `/a${query}`, headers: { host: "localhost:8080", ...headers } });
  const signed = (by: { id: string; key: string } = root, options = {}) => ({
    authorization: peerHeader(url, "GET", by, options),
  });
  await send({});
  await send(signed());
  await send(signed({ ...root, key: "another" }));
  await send(signed({ ...root, id: "nobody" }));
  await send(signed(root, { ext: "!" }));
  await send(signed(root, { ext: encodeExt({ certificate: { version: 2 } }) }));
  await send(signed(root, { ext: encodeExt({ authorizedScopes: ["\n"] }) }));
  await send(signed(root, { timestamp: 1 }));
  await send(signed(root, { payload: "{}", contentType: "application/json" }));
  await send({ authorization: "Basic eDp5" });
  await send({}, "?bewit=x");
  await send({}, `?bewit=${peerBewit(url, root, { ttlSec: -1 })}`);
  const lines = (await registry.metrics()).split("\n").filter((line) => /^auth_\w+\{/.test(line));
  expect(lines.toSorted()).toEqual([
    'auth_failure_total{reason="client",scheme="hawk"} 1',
    'auth_failure_total{reason="ext",scheme="hawk"} 3',
    'auth_failure_total{reason="form",scheme="bewit"} 1',
    'auth_failure_total{reason="form",scheme="hawk"} 1',
    'auth_failure_total{reason="hash",scheme="hawk"} 1',
    'auth_failure_total{reason="mac",scheme="hawk"} 1',
    'auth_failure_total{reason="time",scheme="bewit"} 1',
    'auth_failure_total{reason="time",scheme="hawk"} 1',
    'auth_success_total{scheme="hawk"} 1',
    'auth_success_total{scheme="none"} 1',
  ]);
});
