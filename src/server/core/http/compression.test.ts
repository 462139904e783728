// Which replies are compressed, for which callers, and with which headers.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyServer } from "../../../../test/support/tiny-server.ts";
import { jsonDocument, sendDocument } from "./send-document.ts";

/** Returns a reply of this size, like that of `GET /things/abc?limit=…`. */
const replyOf = (bytes: number): object => ({ text: "x".repeat(bytes - '{"text":""}'.length) });

const { app, listen } = tinyServer({
  read: (call) => replyOf(Number(call.query.limit ?? 1024)),
  open: () => replyOf(5_000),
});
const document = jsonDocument(replyOf(5_000));
app.get("/document", (request, reply) => sendDocument(request, reply, document));
let port = 0;
beforeAll(async () => {
  port = await listen();
});
afterAll(() => app.close());

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly bytes: Buffer;
}

/** Sends a request without a client that would add headers or decode the reply. */
async function send(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> {
  const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) };
}

const thing = (bytes: number): string => `/api/tiny/v1/things/abc?limit=${bytes}`;
const reader = { "x-caller": "reader" };
const gzip = { "accept-encoding": "gzip" };

describe("a reply to a caller who accepts gzip", () => {
  it("is compressed if it has at least 1 KiB", async () => {
    for (const [bytes, encoding] of [
      [1023, undefined],
      [1024, "gzip"],
      [65_536, "gzip"],
      [65_537, "gzip"],
      [3_000_000, "gzip"],
    ] as const) {
      const { status, headers, bytes: sent } = await send(thing(bytes), { ...reader, ...gzip });
      expect([bytes, status, headers["content-encoding"]]).toEqual([bytes, 200, encoding]);
      const body = encoding === "gzip" ? gunzipSync(sent) : sent;
      expect(body.toString()).toBe(JSON.stringify(replyOf(bytes)));
      if (encoding === "gzip") expect(sent.length).toBeLessThan(bytes / 2);
      expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    }
  });

  it("has the length of the compressed body if known, and a vary header", async () => {
    const { headers, bytes } = await send(thing(5_000), { ...reader, ...gzip });
    expect(headers).toMatchObject({ "content-length": String(bytes.length), vary: "accept-encoding" });
    const long = await send(thing(100_000), { ...reader, ...gzip });
    expect(long.headers).toMatchObject({ "transfer-encoding": "chunked", vary: "accept-encoding" });
    expect(long.headers).not.toHaveProperty("content-length");
  });

  it("is also compressed if it is an error", async () => {
    const { status, headers, bytes } = await send(`/api/tiny/v1/things/${"N".repeat(2_000)}`, {
      ...reader,
      ...gzip,
    });
    expect([status, headers["content-encoding"]]).toEqual([400, "gzip"]);
    expect(JSON.parse(gunzipSync(bytes).toString())).toMatchObject({ code: "InvalidRequestArguments" });
  });

  it("is not compressed if the method streams its reply", async () => {
    const { headers, bytes } = await send("/api/tiny/v1/open", gzip);
    expect([headers["content-encoding"], bytes.length]).toEqual([undefined, 5_000]);
  });

  it("has the same headers for HEAD", async () => {
    for (const [bytes, accepted] of [
      [5_000, "gzip"],
      [5_000, "identity"],
      [100, "gzip"],
      [100_000, "gzip"],
      [100_000, "identity"],
    ] as const) {
      const headers = { ...reader, "accept-encoding": accepted };
      const get = await send(thing(bytes), headers);
      const head = await send(thing(bytes), headers, "HEAD");
      const named = ({ headers: { vary, ...rest } }: Reply) => [
        rest["content-encoding"],
        rest["content-length"],
        rest["content-type"],
        vary,
      ];
      expect([bytes, accepted, head.status, head.bytes.length, ...named(head)]).toEqual([
        bytes,
        accepted,
        200,
        0,
        ...named(get),
      ]);
    }
  });
});

describe("accept-encoding", () => {
  it("decides by names and weights", async () => {
    const cases: [accepted: string | undefined, encoding: string | undefined][] = [
      [undefined, undefined],
      ["", undefined],
      ["identity", undefined],
      ["gzip;q=0", undefined],
      ["gzip; q=0.0, deflate", undefined],
      ["br, zstd", undefined],
      ["*;q=0", undefined],
      ["identity, gzip;q=0.5", undefined],
      ["gzip, deflate, br", "gzip"],
      ["GZIP", "gzip"],
      ["x-gzip", "gzip"],
      ["*", "gzip"],
      ["deflate, gzip;q=0.1", "gzip"],
      ["identity;q=0.5, gzip;q=0.8", "gzip"],
      ["gzip;q=nonsense", undefined],
    ];
    for (const [accepted, encoding] of cases) {
      const { status, headers, bytes } = await send(thing(5_000), {
        ...reader,
        ...(accepted !== undefined && { "accept-encoding": accepted }),
      });
      expect([accepted, status, headers["content-encoding"]]).toEqual([accepted, 200, encoding]);
      if (encoding === undefined) expect(bytes.length).toBe(5_000);
    }
  });
});

describe("a cached document", () => {
  it("has the same ETag compressed and uncompressed, and a vary header", async () => {
    const plain = await send("/document");
    const compressed = await send("/document", gzip);
    expect([plain.headers["content-encoding"], compressed.headers["content-encoding"]]).toEqual([
      undefined,
      "gzip",
    ]);
    expect(gunzipSync(compressed.bytes)).toEqual(plain.bytes);
    for (const { headers } of [plain, compressed])
      expect(headers).toMatchObject({ etag: document.etag, vary: "accept-encoding" });
    // A strong tag would promise the same bytes.
    expect(document.etag).toMatch(/^W\//);
    const again = await send("/document", { ...gzip, "if-none-match": String(compressed.headers.etag) });
    expect([again.status, again.bytes.length, again.headers["content-encoding"]]).toEqual([
      304,
      0,
      undefined,
    ]);
    expect(again.headers).toMatchObject({ etag: document.etag, vary: "accept-encoding" });
  });
});

describe("a caller that disconnects", () => {
  it("in the middle of a long reply causes no incident", async () => {
    const sent = request({
      host: "127.0.0.1",
      port,
      path: thing(3_000_000),
      headers: { ...reader, ...gzip },
      agent: false,
    }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.destroy();
    await once(response, "close");
    expect((await send(thing(5_000), { ...reader, ...gzip })).status).toBe(200);
  });
});
