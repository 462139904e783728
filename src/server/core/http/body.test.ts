// Request bodies, valid and invalid.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyServer } from "../../../../test/support/tiny-server.ts";

const LIMIT = 100_000;
const { app, records, rawBodies, listen } = tinyServer({}, { bodyLimit: LIMIT });
let port = 0;
beforeAll(async () => {
  port = await listen();
});
afterAll(() => app.close());

const json = { "content-type": "application/json", "x-caller": "root" };
const toy = '{"kind":"toy"}';
const put = (payload: string | Buffer, headers: Record<string, string> = json) =>
  app.inject({ method: "PUT", url: "/api/tiny/v1/things/abc", headers, payload });
const send = (payload: string | Buffer | undefined, headers: Record<string, string> = json) =>
  app.inject({
    method: "POST",
    url: "/api/tiny/v1/send",
    headers,
    ...(payload !== undefined && { payload }),
  });

/** Returns the status, code and message of an error reply. */
const refused = (reply: { statusCode: number; json(): { code: string; message: string } }) => ({
  status: reply.statusCode,
  code: reply.json().code,
  message: reply.json().message.split("\n\n---\n")[0],
});

describe("a JSON body", () => {
  it("is passed to the handler with its schema's defaults, and as raw text to the authentication", async () => {
    const text = `{ "kind": "toy", "nested": {} }`;
    const reply = await put(text);
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toEqual({ kind: "toy", size: 1, parts: [], nested: { deep: "filled in" } });
    expect(rawBodies.at(-1)).toBe(text);
  });

  it("may have a character set in its content type", async () => {
    expect((await put(toy, { ...json, "content-type": "application/json; charset=utf-8" })).statusCode).toBe(
      200,
    );
  });

  it("keeps every member, even those named like prototype members", async () => {
    const anything = '{"__proto__":{"polluted":true},"constructor":1,"é":"\\u0000"}';
    const reply = await put(`{"kind":"toy","anything":${anything}}`);
    expect(JSON.stringify(reply.json<{ anything: unknown }>().anything)).toBe(anything);
    expect({}).not.toHaveProperty("polluted");
  });

  it.each([
    ["{", "Failed to parse JSON: "],
    ["nonsense", "Failed to parse JSON: "],
    ['{"kind":"toy"}}', "Failed to parse JSON: "],
    ["3", "Failed to parse JSON: expected an object or an array, got number"],
    ['"text"', "Failed to parse JSON: expected an object or an array, got string"],
    ["null", "Failed to parse JSON: expected an object or an array, got null"],
  ])("is refused before any other check if it is %s", async (text, message) => {
    const reply = await put(text, { ...json, "x-caller": "forger" });
    expect(refused(reply)).toEqual({
      status: 400,
      code: "MalformedPayload",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ["1e400", ".anything"],
    ['[1,{"a":-1E+309}]', ".anything[1].a"],
    [`[${"9".repeat(309)}]`, ".anything[0]"],
  ])("is refused if a number is beyond the range of doubles: %s", async (anything, path) => {
    expect(refused(await put(`{"kind":"toy","anything":${anything}}`))).toEqual({
      status: 400,
      code: "MalformedPayload",
      message: `The number at ${path} is too large: numbers have at most 308 digits before the decimal point. Send it as a string.`,
    });
  });

  it("may have numbers at the end of the range, and texts that look like larger ones", async () => {
    const anything = `[1e308,1e-999,0.${"1".repeat(400)},"1e400","${"9".repeat(400)}"]`;
    expect((await put(`{"kind":"toy","anything":${anything}}`)).statusCode).toBe(200);
  });

  it("may be an array if no schema forbids it", async () => {
    expect((await send("[1, 2]")).json()).toEqual({ body: [1, 2] });
    expect(refused(await put("[1, 2]"))).toMatchObject({
      code: "InputValidationError",
      message: expect.stringContaining("* data must be object"),
    });
  });

  it("is refused if it is nested too deeply to be serialized again", async () => {
    const nest = (depth: number) => `{"kind":"toy","anything":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    const brackets = `{"kind":"toy","anything":"\\"${"[".repeat(5_000)}"}`;
    expect((await put(nest(499))).statusCode).toBe(200);
    expect((await put(brackets)).statusCode).toBe(200);
    for (const depth of [500, 40_000]) {
      expect(refused(await put(nest(depth)))).toEqual({
        status: 400,
        code: "MalformedPayload",
        message: "Failed to parse JSON: it is nested deeper than the limit of 500 levels",
      });
    }
  });
});

describe("a missing body", () => {
  it("is refused if the method requires one, even if every member has a default", async () => {
    expect(refused(await put("", json))).toEqual({
      status: 400,
      code: "MalformedPayload",
      message:
        "Payload must be JSON with content-type: application/json got content-type: application/json, and no body",
    });
    expect(refused(await put("", { "x-caller": "root" }))).toMatchObject({
      message: "Payload must be JSON with content-type: application/json got content-type: none",
    });
  });

  it("is an empty object if its type is JSON and there is no schema", async () => {
    expect((await send("")).json()).toEqual({ body: {} });
    expect((await send(undefined, {})).json()).toEqual({ body: null });
  });
});

describe("a body of another type", () => {
  it("is refused if the method requires JSON", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json"])
      expect(refused(await put(toy, { ...json, "content-type": type }))).toEqual({
        status: 400,
        code: "MalformedPayload",
        message: `Payload must be JSON with content-type: application/json got content-type: ${type}`,
      });
  });

  it("is not read if the method takes no body", async () => {
    expect((await send("a=b", { "content-type": "text/plain" })).json()).toEqual({ body: null });
  });

  it("is refused if its type is invalid", async () => {
    expect(refused(await put(toy, { ...json, "content-type": "///" }))).toMatchObject({
      status: 400,
      code: "MalformedPayload",
    });
  });
});

describe("a compressed body", () => {
  const gzip = { ...json, "content-encoding": "gzip" };

  it("is decompressed, and its raw text is the decompressed text", async () => {
    expect((await put(gzipSync(toy), gzip)).statusCode).toBe(200);
    expect(rawBodies.at(-1)).toBe(toy);
    expect((await put(deflateSync(toy), { ...json, "content-encoding": "deflate" })).statusCode).toBe(200);
    expect((await put(toy, { ...json, "content-encoding": "identity" })).statusCode).toBe(200);
  });

  it("is refused without an incident if the compression is unknown or invalid", async () => {
    expect(refused(await put(toy, { ...json, "content-encoding": "br" }))).toMatchObject({
      status: 400,
      code: "MalformedPayload",
      message: "Content-Encoding 'br' is not supported: send the body uncompressed, or use gzip or deflate.",
    });
    for (const invalid of [Buffer.from(toy), gzipSync(toy).subarray(0, -6)])
      expect(refused(await put(invalid, gzip))).toMatchObject({
        status: 400,
        code: "MalformedPayload",
        message: expect.stringContaining("The request body cannot be read: "),
      });
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
  });

  it("is limited by its decompressed size", async () => {
    // Over a real connection: the unread rest of the bomb must not delay the reply.
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const call = request({ port, method: "POST", path: "/api/tiny/v1/send", headers: gzip });
    call.on("error", () => undefined).end(bomb);
    const [reply] = (await once(call, "response")) as [IncomingMessage];
    expect(reply.statusCode).toBe(413);
    reply.resume();
    await once(reply, "close");
  });
});

describe("a body that is too large", () => {
  const large = JSON.stringify({ kind: "toy", anything: "x".repeat(LIMIT) });

  it("is refused, with or without a content length", async () => {
    const expected = {
      status: 413,
      code: "InputTooLarge",
      message: `The request body is larger than the limit of ${LIMIT} bytes.`,
    };
    expect(refused(await put(large))).toEqual(expected);
    expect(refused(await put(gzipSync(large), { ...json, "content-encoding": "gzip" }))).toEqual(expected);
  });

  it("may be exactly as large as the limit", async () => {
    const text = JSON.stringify({ anything: "" });
    expect((await send(text.replace('""', `"${"x".repeat(LIMIT - text.length)}"`))).statusCode).toBe(200);
  });
});

it("a caller that disconnects in the middle of a body causes no incident", async () => {
  const arrived = once(app.server, "request");
  const socket = connect(port, "127.0.0.1");
  socket.write(
    "POST /api/tiny/v1/send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
  );
  const [incoming] = (await arrived) as [IncomingMessage];
  const closed = new Promise((resolve) => incoming.once("close", resolve));
  socket.destroy();
  await closed;
  await new Promise(setImmediate);
  expect(records.filter((record) => "incidentId" in record)).toEqual([]);
});
