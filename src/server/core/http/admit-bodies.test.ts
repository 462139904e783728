// Which bodies are read: decided by the headers, before a byte of the body is.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { tinyServer } from "../../../../test/support/tiny-server.ts";
import { createBodyMemory, STRANGER_LIMIT } from "./admit-bodies.ts";

const { app, rawBodies, listen } = tinyServer({}, { bodyLimit: 10 * STRANGER_LIMIT });
let port = 0;
beforeAll(async () => {
  port = await listen();
});
afterAll(() => app.close());

const json = { "content-type": "application/json" };
/** A body of this many bytes. */
const bodyOf = (bytes: number): string => {
  const empty = JSON.stringify({ kind: "toy", anything: "" });
  return empty.replace('""', `"${"x".repeat(bytes - empty.length)}"`);
};

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Sends the headers of a request whose body never comes. Returns the reply. */
async function sendHeaders(headers: Record<string, string>, path = "abc"): Promise<Refusal> {
  const call = request({
    port,
    method: "PUT",
    path: `/api/tiny/v1/things/${path}`,
    headers: { ...json, ...headers },
  });
  call.on("error", () => undefined).flushHeaders();
  const [reply] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of reply) text += String(chunk);
  call.destroy();
  const { code, message } = JSON.parse(text) as Refusal;
  return { status: reply.statusCode ?? 0, code, message: message.split("\n\n---\n")[0] ?? "" };
}

const needsCredentials = {
  status: 403,
  code: "InsufficientScopes",
  message: `Without credentials, a body must have a Content-Length of at most ${STRANGER_LIMIT} bytes and must not be compressed. Sign the request to send this one.`,
};
const large = String(STRANGER_LIMIT + 1);

describe("without credentials", () => {
  it("a body of 64 KiB is read", async () => {
    const payload = bodyOf(STRANGER_LIMIT);
    const reply = await app.inject({ method: "PUT", url: "/api/tiny/v1/things/abc", headers: json, payload });
    expect(rawBodies.at(-1)).toBe(payload);
    expect(reply.json()).toMatchObject({ message: expect.stringContaining("tiny:write:toy") });
  });

  it("a larger body is not read", async () => {
    expect(await sendHeaders({ "content-length": large })).toEqual(needsCredentials);
  });

  it("a body of unknown length is not read", async () => {
    expect(await sendHeaders({ "transfer-encoding": "chunked" })).toEqual(needsCredentials);
  });

  it("a compressed body is not read, however small it is", async () => {
    const bomb = gzipSync(bodyOf(STRANGER_LIMIT));
    expect(await sendHeaders({ "content-encoding": "gzip", "content-length": String(bomb.length) })).toEqual(
      needsCredentials,
    );
  });

  it("a body for a path that does not exist is read up to 64 KiB", async () => {
    const post = (bytes: number) =>
      app.inject({ method: "POST", url: "/nowhere", headers: json, payload: bodyOf(bytes) });
    expect((await post(STRANGER_LIMIT)).statusCode).toBe(404);
    const refused = await post(STRANGER_LIMIT + 1);
    expect(refused.statusCode).toBe(413);
    expect(refused.json()).toMatchObject({
      message: expect.stringContaining(`larger than the limit of ${STRANGER_LIMIT} bytes`),
    });
  });
});

it("with invalid credentials, a large body is not read", async () => {
  expect(await sendHeaders({ "content-length": large, "x-caller": "forger" })).toEqual({
    status: 401,
    code: "AuthenticationFailed",
    message: "Unauthorized: Bad mac",
  });
});

it("with valid credentials, large and compressed bodies are read", async () => {
  const text = bodyOf(2 * STRANGER_LIMIT);
  const put = (payload: string | Buffer, headers: Record<string, string>) =>
    app.inject({
      method: "PUT",
      url: "/api/tiny/v1/things/abc",
      headers: { ...json, "x-caller": "root", ...headers },
      payload,
    });
  expect((await put(text, {})).statusCode).toBe(200);
  expect((await put(gzipSync(text), { "content-encoding": "gzip" })).statusCode).toBe(200);
});

it("without the scopes that the path determines, a large body is not read", async () => {
  const refused = await sendHeaders({ "content-length": large, "x-caller": "writer" }, "abc/name");
  expect(refused).toMatchObject({ status: 403, code: "InsufficientScopes" });
});

it("a body with very many values is refused before it is parsed", async () => {
  const payload = `{"kind":"toy","anything":[${"[],".repeat(60_000)}1]}`;
  const reply = await app.inject({
    method: "PUT",
    url: "/api/tiny/v1/things/abc",
    headers: { ...json, "x-caller": "root" },
    payload,
  });
  expect(reply.json()).toMatchObject({
    code: "InputTooLarge",
    message: expect.stringContaining("The JSON has more than 50000 values"),
  });
});

it("without credentials, a body has fewer values", async () => {
  const put = async (elements: number, headers: Record<string, string>) =>
    app.inject({
      method: "PUT",
      url: "/api/tiny/v1/things/abc",
      headers: { ...json, ...headers },
      payload: `{"kind":"toy","anything":[${"[],".repeat(elements)}1]}`,
    });
  const refused = await put(2000, {});
  expect(refused.json()).toMatchObject({
    code: "InputTooLarge",
    message: expect.stringContaining("Without credentials, a body may have at most 4000 values"),
  });
  expect((await put(1900, {})).json()).toMatchObject({ code: "InsufficientScopes" });
  expect((await put(2000, { "x-caller": "root" })).statusCode).toBe(200);
});

it("a body for a path without a method has fewer values too", async () => {
  const reply = await app.inject({
    method: "POST",
    url: "/no/such/path",
    headers: { ...json, "x-caller": "root" },
    payload: `[${"[],".repeat(2000)}1]`,
  });
  expect(reply.json()).toMatchObject({ code: "InputTooLarge" });
});

describe("the memory for large bodies", () => {
  it("is shared by all clients, of whom none may take more than half", async () => {
    const clock = manualClock();
    const memory = createBodyMemory(100, clock);
    const release = memory.take("a", 50);
    expect(() => memory.take("a", 1)).toThrow("your requests in progress take the maximum of 50 bytes");
    memory.take("b", 30);
    memory.take("c", 20);
    expect(() => memory.take("d", 1)).toThrow("all requests in progress take the maximum of 100 bytes");
    // The first body took long, so the next one is likely to.
    await clock.advance(11_000);
    release();
    memory.take("a", 50);
    expect(() => memory.take("a", 1)).toThrow(expect.objectContaining({ retryAfterMs: 3_000 }));
  });

  it("admits any body if it is the only one", () => {
    const memory = createBodyMemory(100, manualClock());
    const release = memory.take("a", 1000);
    expect(() => memory.take("b", 1)).toThrow("all requests");
    release();
    memory.take("b", 1000);
  });
});

it("an error repeats a short body, and omits a long one", async () => {
  const payloadOf = async (bytes: number): Promise<unknown> => {
    const payload = bodyOf(bytes);
    const reply = await app.inject({ method: "PUT", url: "/api/tiny/v1/things/abc", headers: json, payload });
    return reply.json<{ requestInfo: { payload: unknown } }>().requestInfo.payload;
  };
  expect(await payloadOf(1000)).toMatchObject({ kind: "toy" });
  expect(await payloadOf(20_000)).toBe("(OMITTED)");
});
