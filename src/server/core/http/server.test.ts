// The HTTP server around the contract: paths, headers, probes, and requests that the framework refuses.
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyServer } from "../../../../test/support/tiny-server.ts";

const { app, records, listen } = tinyServer();
let port = 0;
beforeAll(async () => {
  port = await listen();
});
afterAll(() => app.close());

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

/** Sends raw text and returns everything received until the connection ends. */
async function raw(text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => (received += String(chunk)));
  socket.write(text);
  await once(socket, "close");
  return received;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("a path", () => {
  it("is not found in another case, under another service or by another method, with the standard error body", async () => {
    for (const [url, hint] of [
      ["/api/tiny/v1/OPEN", "did you mean GET /api/tiny/v1/open? See"],
      ["/api/tiny/v2/open", "did you mean GET /api/tiny/v1/open? See"],
      ["/api/none/v1/open", "see"],
      ["/api/tiny/v1/", "see"],
      ["/nowhere", "see"],
      ["/tiny/v1/open", "did you mean GET /api/tiny/v1/open? See"],
      ["/api/tiny/open", "did you mean GET /api/tiny/v1/open? See"],
      ["/api/tiny/v1/thing/abc", "did you mean GET /api/tiny/v1/things/<id>? See"],
      [`/api/tiny/v1/${"x".repeat(5_000)}`, ""],
      ["/a".repeat(2_000), ""],
    ] as const) {
      const reply = await get(url);
      expect([url, reply.statusCode]).toEqual([url, 404]);
      expect(reply.json()).toMatchObject({
        code: "ResourceNotFound",
        message: expect.stringContaining(
          hint && `There is nothing at GET ${url}: ${hint} /references/manifest.json for the methods`,
        ),
        requestInfo: { method: url },
      });
      expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    }
    for (const [url, methods] of [
      ["/api/tiny/v1/open", "GET"],
      ["/api/tiny/v1/things/x", "GET and PUT"],
    ] as const) {
      const reply = await app.inject({ method: "DELETE", url });
      expect(reply.statusCode).toBe(404);
      expect(reply.json()).toMatchObject({
        code: "ResourceNotFound",
        message: expect.stringContaining(`DELETE ${url}: this path takes ${methods}. See /references/`),
      });
    }
    expect((await app.inject({ method: "OPTIONS", url: "/api/tiny/v1/nowhere" })).statusCode).toBe(404);
  });

  it("may end in a slash, which only a parameter for the rest of the path contains", async () => {
    expect((await get("/api/tiny/v1/open/")).statusCode).toBe(200);
    for (const [query, rest] of [
      ["", "rest/"],
      ["?", "rest/"],
      ["/?", "rest//"],
    ] as const)
      expect((await get(`/api/tiny/v1/paths/x/rest/${query}`)).json()).toEqual({ id: "x", rest });
    // Not known, so that the error shows the parameters.
    const refused = await get("/api/tiny/v1/paths/x/rest?unknown=/");
    expect(refused.json()).toMatchObject({ requestInfo: { params: { id: "x", rest: "rest" } } });
  });

  it("keeps an encoded slash in a parameter, and accepts both forms in the rest of a path", async () => {
    const cases: [string, { id: string; rest: string }][] = [
      ["a%2Fb/c", { id: "a/b", rest: "c" }],
      ["a/b/c", { id: "a", rest: "b/c" }],
      ["a/b%2Fc", { id: "a", rest: "b/c" }],
      ["a/b%2Fc/d%20e", { id: "a", rest: "b/c/d e" }],
      ["a/b//c", { id: "a", rest: "b//c" }],
      ["a%252Fb/%252F", { id: "a%2Fb", rest: "%2F" }],
      ["a%3Fb/c%23d%3F", { id: "a?b", rest: "c#d?" }],
      ["github%2F1%7Cx/%2E%2E%2Fetc", { id: "github/1|x", rest: "../etc" }],
    ];
    for (const [path, params] of cases) {
      const reply = await get(`/api/tiny/v1/paths/${path}`);
      expect([path, reply.statusCode, reply.json()]).toEqual([path, 200, params]);
    }
  });

  it("with invalid percent-encoding is refused with the standard error body", async () => {
    for (const bad of ["%", "%zz", "%E9", "a%2"]) {
      const reply = await get(`/api/tiny/v1/things/${bad}`);
      expect([bad, reply.statusCode, reply.json()]).toMatchObject([
        bad,
        400,
        { code: "InvalidRequestArguments", message: expect.stringContaining("not valid percent-encoding") },
      ]);
    }
  });

  it("may be long, up to a limit", async () => {
    const name = "n".repeat(5_000);
    expect((await get(`/api/tiny/v1/paths/x/${name}`)).json()).toEqual({ id: "x", rest: name });
    const reply = await get(`/api/tiny/v1/paths/${"n".repeat(9_000)}/x`);
    expect([reply.statusCode, reply.json()]).toMatchObject([
      400,
      {
        code: "InvalidRequestArguments",
        message: expect.stringContaining("longer than the limit of 8192 characters"),
      },
    ]);
  });
});

describe("every reply", () => {
  it("has the headers for CORS and those that prevent content sniffing", async () => {
    for (const url of ["/api/tiny/v1/open", "/api/tiny/v1/things/abc", "/nowhere", "/api/tiny/v1/things/%"]) {
      const { headers } = await get(url);
      expect(headers).toMatchObject({
        "access-control-allow-origin": "*",
        "access-control-max-age": "900",
        "access-control-allow-methods": "OPTIONS,GET,HEAD,POST,PUT,DELETE,TRACE,CONNECT",
        "access-control-request-method": "*",
        "access-control-allow-headers":
          "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control",
        "cache-control": "no-store no-cache must-revalidate",
        "x-content-type-options": "nosniff",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "x-for-trace-id": expect.stringMatching(UUID),
        "x-for-request-id": expect.stringMatching(UUID),
      });
      expect(headers).not.toHaveProperty("x-powered-by");
    }
  });

  it("has the trace id of the request, unless that could do harm in a log", async () => {
    const trace = async (id: string) =>
      (await get("/api/tiny/v1/open", { "x-taskcluster-trace-id": id })).headers["x-for-trace-id"];
    expect(await trace("3f2c_a-1")).toBe("3f2c_a-1");
    for (const bad of ["a b", "a\tb", "x".repeat(65), ""]) expect(await trace(bad)).toMatch(UUID);
  });
});

describe("every process", () => {
  it("serves probes and robots.txt", async () => {
    expect((await get("/__version__")).json()).toMatchObject({ version: "1.2.3" });
    expect((await get("/__lbheartbeat__")).json()).toEqual({});
    expect((await get("/robots.txt")).body).toBe("User-Agent: *\nDisallow: /\n");
  });
});

describe("invalid HTTP", () => {
  it("gets 400, headers that are too large get 431, and neither causes an incident", async () => {
    expect(await raw("nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
  });

  it("is refused if a body has two lengths, so that it is not read as two requests", async () => {
    const received = await raw(
      "POST /api/tiny/v1/send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" +
        "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
  });
});
