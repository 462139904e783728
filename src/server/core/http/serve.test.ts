// The checks of a call in their order, and the format of replies and errors.
import { once } from "node:events";
import { connect } from "node:net";
import pg from "pg";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import {
  tinyApi,
  tinyServer,
  type TinyHandlers,
  type TinyServer,
} from "../../../../test/support/tiny-server.ts";
import { ApiError } from "../../../lib/errors.ts";
import { jsonOf, type Json } from "../json.ts";
import { Reply } from "./replies.ts";

const tiny = tinyServer();
afterAll(() => tiny.app.close());

interface SendOptions {
  method?: "GET" | "PUT" | "POST" | "HEAD" | "OPTIONS" | "DELETE";
  as?: string;
  body?: unknown;
}
const send = (path: string, { method = "GET", as, body }: SendOptions = {}, on: TinyServer = tiny) =>
  on.app.inject({
    method,
    url: `/api/tiny/v1${path}`,
    headers: { ...(as !== undefined && { "x-caller": as }) },
    ...(body !== undefined && { payload: body as object }),
  });
type Response = Awaited<ReturnType<typeof send>>;

/** Returns the status, code and message of an error reply, without the lines about the request. */
const refused = (reply: Response): [number, string, string] => {
  const { code, message } = reply.json<{ code: string; message: string }>();
  return [reply.statusCode, code, message.split("\n\n---\n")[0] ?? ""];
};

/** Returns JSON text of any type, as a statement with a bug could. */
const text = (json: string): Json<{ n: number }> => json as Json<{ n: number }>;

/** Creates a server with these handlers for one test. */
function serverWith(handlers: Partial<TinyHandlers>, checkReplies = true): TinyServer {
  const server = tinyServer(handlers, { checkReplies });
  onTestFinished(() => server.app.close());
  return server;
}

describe("the order of checks", () => {
  const put = (id: string, body: unknown, as?: string) =>
    send(`/things/${id}`, { method: "PUT", body, ...(as !== undefined && { as }) });

  it("is scopes, parameters, query if the scopes depend only on the path", async () => {
    expect(refused(await send("/things/NOT?bad=1"))[1]).toBe("InsufficientScopes");
    expect(refused(await send("/things/NOT?bad=1", { as: "forger" }))[1]).toBe("AuthenticationFailed");
    expect(refused(await send("/things/NOT?bad=1", { as: "reader" }))).toEqual([
      400,
      "InvalidRequestArguments",
      "Invalid URL patterns:\nURL parameter 'id' given as 'NOT' must match regular expression: '/^[a-z]{1,8}$/'",
    ]);
    expect(refused(await send("/things/abc?bad=1&limit=x&after=", { as: "reader" }))).toEqual([
      400,
      "InvalidRequestArguments",
      "Query-string parameter: bad is not supported!\n" +
        "Query-string parameter: limit given as 'x' must match regular expression: '/^[0-9]+$/'\n" +
        "Query-string parameter: after given as '' must match regular expression: '/./'",
    ]);
  });

  it("is parameters, query, body, scopes if the scopes depend on the body", async () => {
    expect(refused(await put("NOT", { kind: 1 }, "forger"))[1]).toBe("InvalidRequestArguments");
    expect(refused(await put("abc?x=1", { kind: 1 }, "forger"))[1]).toBe("InvalidRequestArguments");
    expect(refused(await put("abc", { kind: 1 }, "forger"))[1]).toBe("InputValidationError");
    expect(refused(await put("abc", { kind: "toy" }, "forger"))[1]).toBe("AuthenticationFailed");
    expect(refused(await put("abc", { kind: "toy" }))[1]).toBe("InsufficientScopes");
    expect((await put("abc", { kind: "toy", parts: ["a"] }, "writer")).statusCode).toBe(200);
  });

  it("does not include credentials for public methods", async () => {
    expect((await send("/open", { as: "forger" })).statusCode).toBe(200);
  });

  it("accepts `bewit` in any query, and each other key once", async () => {
    expect((await send("/open?bewit=abc")).statusCode).toBe(200);
    expect(refused(await send("/things/abc?limit=1&limit=2", { as: "reader" }))[2]).toBe(
      "Query-string parameter: limit must be a string!",
    );
    expect((await send("/things/abc?limit=1", { as: "reader" })).json()).toEqual({
      params: { id: "abc" },
      query: { limit: "1" },
    });
  });
});

describe("a caller that was authorized by the path", () => {
  it("is authorized for the same values, and not for others", async () => {
    const { read } = tinyApi.endpoints;
    const server = serverWith({
      read: ({ caller, query, params }) => {
        caller.authorize(read, { id: query.after ?? params.id });
        return jsonOf({ clientId: caller.identity().clientId });
      },
    });
    const get = (path: string) => send(path, { as: "narrow" }, server);
    expect((await get("/things/abc")).json()).toEqual({ clientId: "narrow" });
    expect((await get("/things/abc?after=abc")).statusCode).toBe(200);
    expect(refused(await get("/things/abc?after=def"))[1]).toBe("InsufficientScopes");
  });
});

describe("the error for an invalid body", () => {
  it("lists all violations with their paths", async () => {
    const body = { kind: "Toy", size: "1", parts: ["a", "a"], nested: { deep: "", more: 1 }, "other/one": 1 };
    expect(refused(await send("/things/abc", { method: "PUT", body }))).toEqual([
      400,
      "InputValidationError",
      [
        "\nSchema Validation Failed!",
        "Rejecting Schema: https://ci.example.com/schemas/tiny/v1/thing.json#",
        "Errors:",
        '  * data must NOT have additional properties: "other/one"',
        '  * data/kind must match pattern "^[a-z]+$"',
        "  * data/size must be integer",
        "  * data/parts must NOT have duplicate items (items ## 1 and 0 are identical)",
        '  * data/nested must NOT have additional properties: "more"',
      ].join("\n"),
    ]);
  });

  it("lists at most 100 violations, and only the first one for a large body", async () => {
    const violations = async (parts: number) => {
      const body = { kind: "toy", parts: Array.from({ length: parts }, (_, i) => i) };
      return refused(await send("/things/abc", { method: "PUT", as: "root", body }))[2]
        .split("\n")
        .slice(4);
    };
    const lines = await violations(150);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe("  * … and 51 more");
    expect(await violations(15_000)).toEqual(["  * data/parts must NOT have more than 100 items"]);
  });
});

describe("an error reply", () => {
  it("has the standard body: code, message and request, without secrets", async () => {
    const body = { kind: "toy", secret: "hush" };
    const reply = await send("/things/abc", { method: "PUT", body });
    const { time } = reply.json<{ requestInfo: { time: string } }>().requestInfo;
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    expect(reply.json()).toEqual({
      code: "InsufficientScopes",
      message: expect.stringMatching(
        /[^]\n\n---\n\n\* method: {5}write\n\* errorCode: {2}InsufficientScopes\n\* statusCode: 403\n\* time: {7}20/,
      ),
      requestInfo: {
        method: "write",
        params: { id: "abc" },
        payload: { kind: "toy", size: 1, parts: [], secret: "(OMITTED)" },
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    });
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
  });

  it("has the contract's name of a parameter for the rest of the path", async () => {
    const reply = await send("/paths/x/a%C3%A9/b");
    expect(reply.json()).toMatchObject({
      code: "InvalidRequestArguments",
      requestInfo: { params: { id: "x", rest: "aé/b" } },
    });
  });

  it("for invalid credentials has a www-authenticate header", async () => {
    const reply = await send("/things/abc", { as: "forger" });
    expect(refused(reply)).toEqual([401, "AuthenticationFailed", "Unauthorized: Bad mac"]);
    expect(reply.headers["www-authenticate"]).toBe("hawk");
  });

  it("for insufficient scopes lists the missing and the required ones", async () => {
    expect(refused(await send("/things/abc"))[2]).toBe(
      "This request requires Taskcluster credentials that satisfy the following scope expression:\n\n```\ntiny:read:abc\n```\n\n" +
        "Sign it with such credentials: `taskyard env` prints those of a local server.",
    );
    const body = { kind: "toy", parts: ["a", "b"] };
    const whole = JSON.stringify(
      { AllOf: ["tiny:write:toy", { AnyOf: ["tiny:part:a", "tiny:part:b", "tiny:all-parts"] }] },
      null,
      2,
    );
    expect(refused(await send("/things/abc", { method: "PUT", body, as: "reader" }))[2]).toBe(
      "Client ID reader does not have sufficient scopes and is missing the following scopes:\n\n" +
        `\`\`\`\n${whole}\n\`\`\`\n\nUse other credentials, or have \`tiny:part:a\`, \`tiny:write:toy\` added to the client.`,
    );
    const other = { kind: "car", parts: ["a"] };
    expect(refused(await send("/things/abc", { method: "PUT", body: other, as: "writer" }))[2]).toContain(
      "is missing the following scopes:\n\n```\ntiny:write:car\n```\n\nThis request requires the client to satisfy the following " +
        "scope expression:\n\n```\n{",
    );
  });
});

describe("a text that the database refuses", () => {
  const faults = {
    "22021": "invalid byte sequence",
    "22P05": "unsupported Unicode escape sequence",
    "22P02": "Unicode high surrogate must not follow a high surrogate.",
  } as const;

  it.each([
    ["22021", "GET", [400, "InputError"]],
    ["22021", "POST", [400, "InputError"]],
    ["22P05", "POST", [400, "InputError"]],
    ["22P02", "POST", [400, "InputError"]],
    // Without a body, the JSON is stored text of which a statement reads a member: a fault of the server.
    ["22P05", "GET", [500, "InternalServerError"]],
    ["22P02", "GET", [500, "InternalServerError"]],
  ] as const)("with SQLSTATE %s in a %s causes %j", async (code, method, expected) => {
    const fail = (): never => {
      throw Object.assign(new pg.DatabaseError("refused", 0, "error"), { code, detail: faults[code] });
    };
    const server = serverWith({ open: fail, send: fail });
    const reply =
      method === "GET" ? await send("/open", {}, server) : await send("/send", { method, body: {} }, server);
    expect(refused(reply).slice(0, 2)).toEqual(expected);
    if (reply.statusCode === 400) expect(refused(reply)[2]).toMatch(/: remove the character\.$/);
  });
});

describe("an unexpected error", () => {
  it("causes a 500 with only an incident id, and the log has the details", async () => {
    const broken = serverWith({
      open: () => {
        throw new TypeError("the password is 1234");
      },
    });
    const reply = await send("/open", {}, broken);
    const [status, code, message] = refused(reply);
    expect([status, code]).toEqual([500, "InternalServerError"]);
    const incidentId =
      /^Internal Server Error, incidentId ([0-9a-f-]{36})\. The log of the server has the cause/.exec(
        message,
      )?.[1];
    expect(reply.body).not.toContain("1234");
    expect(broken.records).toContainEqual(
      expect.objectContaining({ incidentId, msg: "the password is 1234" }),
    );
  });

  it("may be a thrown value that is not an Error", async () => {
    const broken = serverWith({
      // oxlint-disable-next-line prefer-promise-reject-errors, typescript/prefer-promise-reject-errors -- that is what is tested
      open: () => Promise.reject(undefined),
    });
    expect((await send("/open", {}, broken)).statusCode).toBe(500);
  });

  it("includes a reply without authorization for the method, which is not sent", async () => {
    const { write } = tinyApi.endpoints;
    for (const guarded of [
      () => ({ secret: 1 }),
      ({ caller }: Parameters<TinyHandlers["guarded"]>[0]) => {
        caller.authorize(write, { kind: "toy", parts: [] });
        return { secret: 1 };
      },
    ]) {
      const forgetful = serverWith({ guarded });
      const reply = await send("/guarded", { method: "POST", as: "root" }, forgetful);
      expect(reply.statusCode).toBe(500);
      expect(reply.body).not.toContain("secret");
      expect(forgetful.records).toContainEqual(
        expect.objectContaining({ msg: "guarded replied without having authorized its caller" }),
      );
    }
    expect((await send("/guarded", { method: "POST", as: "root" })).statusCode).toBe(200);
    expect((await send("/guarded", { method: "POST" })).statusCode).toBe(403);
  });

  it("includes a reply that does not match its schema, if replies are checked", async () => {
    // Results of a handler with a bug, in each form of a reply.
    for (const wrong of [text('{"n":"one"}'), new Reply(200, { n: 1.5 }), text("{}")]) {
      const strict = serverWith({ typed: () => wrong });
      expect((await send("/typed", {}, strict)).statusCode).toBe(500);
      expect(strict.records).toContainEqual(
        expect.objectContaining({ msg: expect.stringContaining("does not match v1/typed.json") }),
      );
      expect((await send("/typed", {}, serverWith({ typed: () => wrong }, false))).statusCode).toBe(200);
    }
  });
});

describe("a reply", () => {
  it("may be a value, JSON text, or a reply with a status and headers", async () => {
    expect((await send("/typed")).json()).toEqual({ n: 1 });
    const raw = await send("/typed", {}, serverWith({ typed: () => text('{"n": 2}') }));
    expect([raw.body, raw.headers["content-type"]]).toEqual(['{"n": 2}', "application/json; charset=utf-8"]);
    const to = { location: "https://example.com/" };
    const redirect = await send(
      "/typed",
      {},
      serverWith({ typed: () => new Reply(303, { url: "u" }, { headers: to }) }),
    );
    expect([redirect.statusCode, redirect.headers.location, redirect.json()]).toEqual([
      303,
      "https://example.com/",
      { url: "u" },
    ]);
  });

  it("is empty if the handler returns undefined", async () => {
    const reply = await send("/open", {}, serverWith({ open: () => undefined }));
    expect([reply.statusCode, reply.body]).toEqual([204, ""]);
  });

  it("to HEAD is that to GET without its body", async () => {
    // Over HTTP, since Node leaves out the body.
    const url = `${await serverWith({}).app.listen({ port: 0 })}/api/tiny/v1/things/abc`;
    const get = await fetch(url, { headers: { "x-caller": "reader" } });
    const head = await fetch(url, { headers: { "x-caller": "reader" }, method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const name of ["content-type", "content-length"])
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    expect((await fetch(url, { method: "HEAD" })).status).toBe(403);
  });

  it("to OPTIONS lists the methods of the path, for any caller", async () => {
    const reply = await send("/things/abc", { method: "OPTIONS", as: "forger" });
    expect([reply.statusCode, reply.headers.allow, reply.body]).toEqual([
      200,
      "GET,PUT,HEAD,OPTIONS",
      "GET,PUT,HEAD,OPTIONS",
    ]);
    expect((await send("/send", { method: "OPTIONS" })).headers.allow).toBe("POST,OPTIONS");
  });

  it("is counted under the name of its method, even if it is an error", async () => {
    await send("/typed");
    await send("/things/NOT", { as: "reader" });
    expect(tiny.calls.slice(-2)).toEqual([
      { service: "tiny", name: "typed", method: "GET", status: 200, ms: expect.any(Number) },
      { service: "tiny", name: "read", method: "GET", status: 400, ms: expect.any(Number) },
    ]);
    // Refused before the handler runs.
    const broken = { method: "POST", url: "/api/tiny/v1/send", payload: "{" } as const;
    await tiny.app.inject({ ...broken, headers: { "content-type": "application/json" } });
    expect(tiny.calls.at(-1)).toMatchObject({ name: "send", method: "POST", status: 400 });
  });
});

describe("a client that disconnects", () => {
  it("aborts the signal of the handler", async () => {
    const started = deferred<AbortSignal>();
    const waiting = serverWith({
      open: async (call) => {
        const signal = call.closed();
        started.resolve(signal);
        await once(signal, "abort");
        throw new ApiError("ServiceUnavailable", "not received by any client");
      },
    });
    const socket = connect(await waiting.listen(), "127.0.0.1");
    socket.write("GET /api/tiny/v1/open HTTP/1.1\r\nhost: x\r\n\r\n");
    const signal = await started.promise;
    expect(signal.aborted).toBe(false);
    const aborted = once(signal, "abort");
    socket.destroy();
    await aborted;
  });

  it("may do so before the handler requests the signal", async () => {
    const aborted = deferred<boolean>();
    const late = serverWith({
      open: async (call) => {
        socket.destroy();
        await once(call.request.raw.socket, "close");
        aborted.resolve(call.closed().aborted);
      },
    });
    const socket = connect(await late.listen(), "127.0.0.1");
    socket.write("GET /api/tiny/v1/open HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(await aborted.promise).toBe(true);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((r) => (resolve = r));
  return { promise, resolve };
}
