import { describe, expect, expectTypeOf, test } from "vitest";
import type { Endpoint } from "../api/endpoint.ts";
import { services } from "../api/services.ts";
import type { TaskStatus } from "../api/queue/status.ts";
import { immediateClock } from "../../test/support/immediate-clock.ts";
import { peerChecksBewit, peerChecksHeader, peerTemporaryCredentials } from "../../test/support/hawk-peer.ts";
import { json, scriptedServer } from "../../test/support/scripted-server.ts";
import { ClientError } from "./client-error.ts";
import { connect, type Client } from "./connect.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const caller = { clientId: "somebody", accessToken: "a-token-that-is-secret" };

describe("requests", () => {
  test("each parameter is one encoded segment, and the query contains the given values", async () => {
    const server = await scriptedServer(json({ artifacts: [] }));
    const client = connect({ rootUrl: `${server.rootUrl}//` });
    await client.queue.listArtifacts({ taskId, runId: 0 }, { query: { limit: 3, continuationToken: "a&b" } });
    await client.queue.getArtifact({ taskId, runId: 1, name: "public/a b.txt" });
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET /api/queue/v1/task/${taskId}/runs/0/artifacts?limit=3&continuationToken=a%26b`,
      `GET /api/queue/v1/task/${taskId}/runs/1/artifacts/public%2Fa%20b.txt`,
    ]);
  });

  test("a body is sent as JSON, and a method without a body sends none", async () => {
    const server = await scriptedServer(json({ tasks: [] }));
    const { queue } = connect({ rootUrl: server.rootUrl });
    await queue.claimWork({ taskQueueId: "proj/linux" }, { workerGroup: "g", workerId: "w", tasks: 2 });
    await queue.cancelTask({ taskId });
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      url: "/api/queue/v1/claim-work/proj%2Flinux",
    });
    expect(server.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ workerGroup: "g", workerId: "w", tasks: 2 });
    expect(server.requests[1]).toMatchObject({ method: "POST", body: "" });
    expect(server.requests[1]?.headers["content-type"]).toBeUndefined();
  });

  test("a missing parameter is refused before anything is sent", async () => {
    const { queue } = connect({ rootUrl: "http://127.0.0.1:1" });
    // @ts-expect-error -- refused by the compiler and at run time
    expect(() => queue.reclaimTask({ taskId })).toThrow("queue.reclaimTask needs the parameter runId");
  });

  test.each(["localhost:8080", "ftp://host", ""])("the root URL %j is refused", (rootUrl) => {
    expect(() => connect({ rootUrl })).toThrow(
      `the root URL ${JSON.stringify(rootUrl)} must be a URL such as https://taskyard.example.com`,
    );
  });
});

describe("signatures", () => {
  /** Verifies the header of the only request like the reference server, and resolves to its decoded ext. */
  async function checkedExt(client: Client, port: number, requests: readonly { url: string }[], key: string) {
    const [request] = requests;
    if (request === undefined || !("headers" in request)) throw new Error("nothing was sent");
    const { authorization } = request.headers as { authorization: string };
    const asSeen = { method: "GET", url: request.url, host: "127.0.0.1", port, authorization };
    const { ext } = await peerChecksHeader(asSeen, key);
    return ext === undefined ? undefined : (JSON.parse(atob(ext)) as unknown);
  }

  test("the header covers path and query as sent", async () => {
    const server = await scriptedServer(json({ artifacts: [] }));
    const client = connect({ rootUrl: server.rootUrl, credentials: caller });
    await client.queue.listLatestArtifacts({ taskId }, { query: { continuationToken: "ü &" } });
    expect(await checkedExt(client, server.port, server.requests, caller.accessToken)).toBeUndefined();
    await expect(checkedExt(client, server.port, server.requests, "another")).rejects.toThrow("Bad mac");
  });

  test("temporary credentials and authorizedScopes are sent in ext", async () => {
    const server = await scriptedServer(json({}));
    const times = { start: new Date(Date.now() - 1000), expiry: new Date(Date.now() + 60_000) };
    const credentials = peerTemporaryCredentials({ credentials: caller, scopes: ["queue:*"], ...times });
    const client = connect({ rootUrl: server.rootUrl, credentials, authorizedScopes: ["queue:ping"] });
    await client.queue.ping();
    const ext = await checkedExt(client, server.port, server.requests, credentials.accessToken);
    expect(ext).toEqual({
      certificate: JSON.parse(credentials.certificate) as unknown,
      authorizedScopes: ["queue:ping"],
    });
  });

  test("withCredentials changes the credentials of one service or of all", async () => {
    const server = await scriptedServer(json({}));
    const client = connect({ rootUrl: server.rootUrl, credentials: caller, authorizedScopes: ["a"] });
    const other = { clientId: "other", accessToken: "b" };
    await client.withCredentials(other).queue.ping();
    await client.queue.withCredentials(other).ping();
    await client.queue.ping();
    const ids = server.requests.map(({ headers }) =>
      /id="([^"]*)".*?(ext=|mac=)/.exec(headers.authorization ?? ""),
    );
    expect(ids.map((m) => [m?.[1], m?.[2]])).toEqual([
      ["other", "mac="],
      ["other", "mac="],
      ["somebody", "ext="],
    ]);
  });

  test("a signed URL is valid until it expires, with and without a query", async () => {
    const client = connect({ rootUrl: "http://127.0.0.1:4000", credentials: caller });
    const plain = client.queue.getLatestArtifact.url({ taskId, name: "private/a b" });
    const paged = client.queue.listLatestArtifacts.url({ taskId }, { limit: 2 });
    for (const url of [plain, paged]) {
      const signed = await client.buildSignedUrl(url, { expiresMs: 60_000 });
      expect(signed.startsWith(url)).toBe(true);
      const asSeen = {
        method: "GET",
        url: signed.slice(client.rootUrl.length),
        host: "127.0.0.1",
        port: 4000,
      };
      await peerChecksBewit(asSeen, caller.accessToken);
      await expect(peerChecksBewit(asSeen, "another")).rejects.toThrow("Bad mac");
    }
    const ended = await client.buildSignedUrl(plain, { expiresMs: -120_000 });
    const asSeen = { method: "GET", url: ended.slice(client.rootUrl.length), host: "127.0.0.1", port: 4000 };
    await expect(peerChecksBewit(asSeen, caller.accessToken)).rejects.toThrow("Access expired");
  });

  test("requests that cannot be signed are refused", async () => {
    const rootUrl = "http://127.0.0.1:1";
    await expect(connect({ rootUrl }).buildSignedUrl(`${rootUrl}/x`)).rejects.toThrow(
      "signing a URL requires credentials",
    );
    expect(() => connect({ rootUrl, authorizedScopes: [] })).toThrow("there are no credentials");
    expect(() => connect({ rootUrl, credentials: { ...caller, certificate: "{" } })).toThrow(
      "the certificate of the credentials must be JSON: use it unchanged",
    );
    const authorizedScopes = Array.from({ length: 200 }, (_, i) => `some:long:scope:${i}`);
    const client = connect({ rootUrl, credentials: caller, authorizedScopes });
    await expect(client.queue.ping()).rejects.toThrow(/has \d+ characters, but servers accept at most 4096/);
    await expect(client.buildSignedUrl(client.queue.ping.url())).rejects.toThrow(
      /the signed URL has \d+ characters after its host, but servers accept at most 4096/,
    );
    await expect(client.buildSignedUrl(client.queue.ping.url(), { expiresMs: NaN })).rejects.toThrow(
      "expiresMs NaN must be a number of milliseconds",
    );
  });
});

describe("replies", () => {
  test("a redirect counts as a reply", async () => {
    const location = { storageType: "s3", url: "http://store/x" };
    const server = await scriptedServer(json(location, 303, { location: "http://store/x" }));
    const client = connect({ rootUrl: server.rootUrl });
    expect(await client.queue.getLatestArtifact({ taskId, name: "public/x" })).toEqual(location);
    expect(server.requests).toHaveLength(1);
  });

  test("an empty reply, and one that is not JSON, resolves to undefined", async () => {
    const server = await scriptedServer(
      (response) => response.writeHead(204).end(),
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>"),
    );
    const { queue } = connect({ rootUrl: server.rootUrl });
    expect(await queue.ping()).toBeUndefined();
    expect(await queue.ping()).toBeUndefined();
  });

  test("a refusal rejects with status, code, body and method, and is not retried", async () => {
    const body = {
      code: "ResourceNotFound",
      message: `Task ${taskId} not found.\n\n---\n\n* method:     status\n* errorCode:  ResourceNotFound`,
      requestInfo: {},
    };
    const server = await scriptedServer(json(body, 404));
    const error = await connect({ rootUrl: server.rootUrl })
      .queue.status({ taskId })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({
      message: `Task ${taskId} not found.`,
      code: "ResourceNotFound",
      statusCode: 404,
      method: "queue.status",
      body,
    });
    expect(server.requests).toHaveLength(1);
  });

  test("an error without a JSON body is reported by its status", async () => {
    const server = await scriptedServer((response) =>
      response.writeHead(413, { "content-type": "text/html" }).end("<h1>too big</h1>"),
    );
    await expect(connect({ rootUrl: server.rootUrl }).queue.ping()).rejects.toMatchObject({
      message: "queue.ping returned 413 Payload Too Large",
      code: "Status413",
      statusCode: 413,
    });
  });
});

describe("retries", () => {
  const limit = 3_600_000;

  test("failures of the server are retried five times, with increasing delays", async () => {
    const server = await scriptedServer(json({ code: "InternalServerError", message: "oh" }, 500));
    const clock = immediateClock(limit);
    const client = connect({ rootUrl: server.rootUrl, clock, timeoutMs: limit });
    await expect(client.queue.ping()).rejects.toMatchObject({ statusCode: 500, message: "oh" });
    expect(server.requests).toHaveLength(6);
    expect(clock.waits).toHaveLength(5);
    for (const [n, wait] of clock.waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(75 * 2 ** n);
      expect(wait).toBeLessThanOrEqual(125 * 2 ** n);
    }
  });

  test("a successful attempt ends the retries, and each attempt has a new signature", async () => {
    const server = await scriptedServer(json({}, 502), json({ alive: true }));
    const clock = immediateClock(limit);
    const client = connect({ rootUrl: server.rootUrl, credentials: caller, clock, timeoutMs: limit });
    expect(await client.queue.ping()).toEqual({ alive: true });
    const [first, second] = server.requests.map(({ headers }) => headers.authorization);
    expect(first).not.toBe(second);
  });

  test("the Retry-After of a busy server is respected, up to 30 seconds", async () => {
    const server = await scriptedServer(
      json({}, 503, { "retry-after": "7" }),
      json({}, 503, { "retry-after": "600" }),
      json({}, 500, { "retry-after": "7" }),
      json({}),
    );
    const clock = immediateClock(limit);
    await connect({ rootUrl: server.rootUrl, clock, timeoutMs: limit }).queue.ping();
    expect(clock.waits.slice(0, 2)).toEqual([7000, 30_000]);
    expect(clock.waits[2]).toBeLessThan(1000);
  });

  test("without a reply, the error names the server and the reason", async () => {
    const { rootUrl, close } = await scriptedServer(json({}));
    await close();
    const clock = immediateClock(limit);
    const error = await connect({ rootUrl, clock, timeoutMs: limit, retries: 2 })
      .queue.ping()
      .catch((e: unknown) => e);
    const at = rootUrl.slice("http://".length);
    expect(error).toMatchObject({
      message: `no answer from ${rootUrl} to queue.ping: connect ECONNREFUSED ${at}; check that a server runs there`,
      code: "NoAnswer",
      statusCode: undefined,
    });
    expect(clock.waits).toHaveLength(2);
  });

  test("a truncated reply is retried like a missing one", async () => {
    const server = await scriptedServer(
      (response) => response.writeHead(200, { "content-type": "application/json" }).end('{"al'),
      json({ alive: true }),
    );
    const clock = immediateClock(limit);
    const client = connect({ rootUrl: server.rootUrl, clock, timeoutMs: limit });
    expect(await client.queue.ping()).toEqual({ alive: true });
  });

  test("an attempt that times out is retried", async () => {
    const server = await scriptedServer(() => undefined, json({ alive: true }));
    const client = connect({ rootUrl: server.rootUrl });
    expect(await client.queue.ping({ timeoutMs: 100 })).toEqual({ alive: true });
    const slow = await scriptedServer(() => undefined);
    const hopeless = connect({ rootUrl: slow.rootUrl }).queue.ping({ timeoutMs: 50, retries: 0 });
    await expect(hopeless).rejects.toMatchObject({
      message: `no answer from ${slow.rootUrl} to queue.ping within 0.05 s; check that a server runs there, or try again later`,
      code: "Timeout",
    });
  });

  test("the caller's signal ends an attempt or a delay, with its reason", async () => {
    const enough = new Error("enough");
    const trying = new AbortController();
    const server = await scriptedServer(() => trying.abort(enough));
    const { queue } = connect({ rootUrl: server.rootUrl });
    await expect(queue.ping({ signal: trying.signal })).rejects.toBe(enough);

    const waiting = new AbortController();
    const failing = await scriptedServer(json({}, 503, { "retry-after": "30" }));
    const clock = {
      now: () => Date.now(),
      after: () => (setImmediate(() => waiting.abort(enough)), () => undefined),
    };
    const call = connect({ rootUrl: failing.rootUrl, clock }).queue.ping({ signal: waiting.signal });
    await expect(call).rejects.toBe(enough);
    await expect(queue.ping({ signal: waiting.signal })).rejects.toBe(enough);
    expect(failing.requests.length).toBeLessThanOrEqual(1);
  });
});

test("every method of the contract can be called, with each of its parameters, and with its body", async () => {
  const server = await scriptedServer(json({}));
  const client: unknown = connect({ rootUrl: server.rootUrl });
  const clients = client as Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>;
  for (const [service, { name, version, endpoints }] of Object.entries(services)) {
    for (const [key, endpoint] of Object.entries<Endpoint>(endpoints)) {
      if (`${service}.${key}` === "events.connect") continue;
      const params = Object.fromEntries(
        Object.keys(endpoint.params ?? {}).map((param) => [param, `${param}/1`]),
      );
      const query = Object.fromEntries(
        Object.keys(endpoint.query ?? {}).map((param) => [param, `${param} 2`]),
      );
      await clients[service]?.[key]?.(
        ...(endpoint.params ? [params] : []),
        ...(endpoint.body ? [{ body: key }] : []),
        { query },
      );
      const { method, url, body } = server.requests.pop() ?? {};
      const path = endpoint.path.replaceAll(/[:*](\w+)/g, "$1%2F1");
      const search = new URLSearchParams(query).toString();
      expect([method, url, body]).toEqual([
        endpoint.method,
        `/api/${name}/${version}${path}${search && `?${search}`}`,
        endpoint.body ? JSON.stringify({ body: key }) : "",
      ]);
    }
  }
});

test("the types follow the contract", () => {
  const { queue, object } = connect({ rootUrl: "http://localhost" });
  expectTypeOf(queue.status).parameter(0).toEqualTypeOf<{ readonly taskId: string | number }>();
  expectTypeOf(queue.status).returns.resolves.toEqualTypeOf<{ status: TaskStatus }>();
  expectTypeOf(queue.ping).parameter(0).toExtend<{ readonly timeoutMs?: number | undefined } | undefined>();
  expectTypeOf(queue.createTask).parameter(1).toExtend<{ payload: Record<string, unknown> }>();
  expectTypeOf(queue.claimWork).parameter(1).toExtend<{ workerGroup: string; tasks?: number }>();
  // A method without a schema of its reply, one without a reply, and one whose parameter has slashes.
  expectTypeOf(queue.ping).returns.resolves.toEqualTypeOf<unknown>();
  expectTypeOf(queue.finishArtifact).returns.resolves.toEqualTypeOf<undefined>();
  expectTypeOf(object.object).parameter(0).toEqualTypeOf<{ readonly name: string | number }>();
  expectTypeOf(object.object).returns.resolves.toExtend<{ projectId: string }>();
  expectTypeOf(queue.listArtifacts.url).returns.toEqualTypeOf<string>();
  const wrong = () => [
    // @ts-expect-error -- a parameter is missing
    queue.reclaimTask({ taskId }),
    // @ts-expect-error -- the body is missing
    queue.createTask({ taskId }),
    // @ts-expect-error -- a method without a body: this would be the options
    queue.reportCompleted({ taskId, runId: 0 }, { reason: "worker-shutdown" }),
    // @ts-expect-error -- the reason is not in the list
    queue.reportException({ taskId, runId: 0 }, { reason: "bored" }),
    // @ts-expect-error -- the method has no query
    queue.status({ taskId }, { query: { limit: 1 } }),
    // @ts-expect-error -- the query has no such key
    queue.listTaskGroup({ taskGroupId: taskId }, { query: { page: 1 } }),
  ];
  expect(wrong).toBeTypeOf("function");
});
