import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileName } from "../../../../../test/support/hostile-names.ts";
import { rawRequest, testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { slugid } from "../../../../lib/slugid.ts";

let t: TestStore;
beforeAll(async () => {
  t = await testStore();
});
afterAll(() => t.close());

const text = "0123456789";
const sha256OfText = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

/** Stores an artifact and returns its URL. */
async function stored(
  options: { name?: string; type?: string; text?: string; encoding?: string } = {},
): Promise<string> {
  const key = { taskId: slugid(), runId: 0, name: options.name ?? "public/digits.txt" };
  const headers = options.encoding === undefined ? {} : { "content-encoding": options.encoding };
  const reply = await t.put(key, options.type ?? "text/plain", options.text ?? text, headers);
  expect(reply.status).toBe(200);
  return t.downloadUrl(key);
}

/** Stores bytes with the content encoding gzip. */
async function storedGzip(bytes: Buffer = gzipSync(text)): Promise<{ url: string; bytes: Buffer }> {
  const key = { taskId: slugid(), runId: 0, name: "public/log" };
  await fetch(await t.uploadUrl(key, "text/plain"), {
    method: "PUT",
    body: bytes,
    headers: { "content-type": "text/plain", "content-encoding": "gzip" },
  });
  return { url: await t.downloadUrl(key), bytes };
}

const messageOf = async (reply: Response): Promise<string> =>
  ((await reply.json()) as { message: string }).message;

describe("an artifact", () => {
  it("is sent with its type, size, hash and time, and allows other origins", async () => {
    const reply = await fetch(await stored());
    expect([reply.status, await reply.text()]).toEqual([200, text]);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": "text/plain",
      "content-length": "10",
      etag: `"${sha256OfText}"`,
      "last-modified": new Date(t.clock.now()).toUTCString(),
      "accept-ranges": "bytes",
      "cache-control": "no-cache",
      "access-control-allow-origin": "*",
    });
    expect(reply.headers.has("content-disposition")).toBe(false);
  });

  it("is not compressed in transit, so that it keeps its size, ETag and ranges", async () => {
    const long = text.repeat(1_000);
    const headers = { "accept-encoding": "gzip" };
    const url = await stored({ text: long });
    const reply = await rawRequest(url, { headers });
    expect(reply.body.toString()).toBe(long);
    expect(reply.headers).toMatchObject({ "content-length": "10000", "accept-ranges": "bytes" });
    expect(reply.headers).not.toHaveProperty("content-encoding");
    const part = await rawRequest(url, { headers: { ...headers, range: "bytes=10-4999" } });
    expect([part.status, part.headers["content-encoding"], part.body.length]).toEqual([
      206,
      undefined,
      4_990,
    ]);
    const head = await rawRequest(url, { method: "HEAD", headers });
    expect([head.status, head.headers["content-length"]]).toEqual([200, "10000"]);
  });

  it("cannot do anything on our origin as a page, an image or a script", async () => {
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"]) {
      const url = await stored({ type, text: "<script>alert(document.domain)</script>" });
      const reply = await fetch(url);
      expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
      expect(reply.headers.get("content-security-policy")).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
      );
    }
    const url = await stored({ type: "text/javascript", text: "evil()" });
    for (const destination of ["script", "serviceworker", "sharedworker", "worker", "audioworklet"]) {
      const headers = { "sec-fetch-dest": destination, "sec-fetch-site": "same-origin" };
      const reply = await rawRequest(url, { headers });
      expect(reply.status).toBe(403);
      expect(reply.body.toString()).toContain("cannot be used as code by pages of the same origin");
    }
  });

  it("has the same headers for HEAD, and no body", async () => {
    const reply = await rawRequest(await stored(), { method: "HEAD" });
    expect(reply).toMatchObject({
      status: 200,
      headers: { "content-length": "10", "content-type": "text/plain" },
    });
    expect(reply.body).toHaveLength(0);
  });

  it("may be empty", async () => {
    const url = await stored({ text: "" });
    for (const method of ["GET", "HEAD"]) {
      const reply = await rawRequest(url, { method });
      expect([reply.status, reply.headers["content-length"], reply.body.length]).toEqual([200, "0", 0]);
    }
    expect((await rawRequest(url, { headers: { range: "bytes=0-" } })).status).toBe(416);
  });

  it("without a type is sent as application/octet-stream", async () => {
    const reply = await fetch(await stored({ type: "" }));
    expect(reply.headers.get("content-type")).toBe("application/octet-stream");
  });

  it("is not sent again to a caller that has it", async () => {
    const url = await stored();
    for (const tag of [`"${sha256OfText}"`, `W/"${sha256OfText}"`, `"other", "${sha256OfText}"`, "*"]) {
      const reply = await rawRequest(url, { headers: { "if-none-match": tag, range: "bytes=99-" } });
      expect([reply.status, reply.body.length]).toEqual([304, 0]);
      expect(reply.headers.etag).toBe(`"${sha256OfText}"`);
    }
    expect((await rawRequest(url, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it("is not found before its upload is complete, and the error states why", async () => {
    const taskId = slugid();
    const reply = await fetch(await t.downloadUrl({ taskId, runId: 2, name: "public/x" }));
    expect(reply.status).toBe(404);
    expect(reply.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(await reply.json()).toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(
        `There is no content for artifact "public/x" of run 2 of task ${taskId}: its upload was never completed`,
      ),
      requestInfo: { method: "downloadArtifact" },
    });
  });
});

describe("a range", () => {
  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=8-100", "89", "bytes 8-9/10"],
    ["bytes=0-0", "0", "bytes 0-0/10"],
  ])("%s is %s", async (range, part, contentRange) => {
    const url = await stored();
    const reply = await rawRequest(url, { headers: { range } });
    expect([reply.status, reply.body.toString()]).toEqual([206, part]);
    expect(reply.headers).toMatchObject({
      "content-range": contentRange,
      "content-length": String(part.length),
    });
    const head = await rawRequest(url, { method: "HEAD", headers: { range } });
    expect([head.status, head.headers["content-range"]]).toEqual([206, contentRange]);
  });

  it.each(["bytes=1-2,5-6", "lines=1-2", "nonsense", "bytes=3-1,"])(
    "%s returns the whole content",
    async (range) => {
      const reply = await rawRequest(await stored(), { headers: { range } });
      expect([reply.status, reply.body.toString()]).toEqual([200, text]);
    },
  );

  it("after the end is refused with the size", async () => {
    const reply = await rawRequest(await stored(), { headers: { range: "bytes=10-" } });
    expect([reply.status, reply.headers["content-range"]]).toEqual([416, "bytes */10"]);
    expect(reply.body.toString()).toContain(
      `Range \\"bytes=10-\\" starts after the artifact's 10 bytes: request a part`,
    );
  });

  it("applies only to the version in If-Range", async () => {
    const url = await stored();
    const get = async (ifRange: string) =>
      (await rawRequest(url, { headers: { range: "bytes=5-", "if-range": ifRange } })).body.toString();
    expect(await get(`"${sha256OfText}"`)).toBe("56789");
    expect(await get('"the previous one"')).toBe(text);
    expect(await get(new Date(t.clock.now()).toUTCString())).toBe(text);
  });
});

describe("a compressed artifact", () => {
  it("is sent as stored to callers that accept gzip", async () => {
    const { url, bytes } = await storedGzip();
    for (const accepted of ["gzip", "br, GZIP;q=0.5", "*", "x-gzip"]) {
      const reply = await rawRequest(url, { headers: { "accept-encoding": accepted } });
      expect(reply.headers).toMatchObject({
        "content-encoding": "gzip",
        "content-length": String(bytes.length),
        vary: "accept-encoding",
      });
      expect(reply.body).toEqual(bytes);
    }
    const part = await rawRequest(url, { headers: { "accept-encoding": "gzip", range: "bytes=0-1" } });
    expect([part.status, part.body]).toEqual([206, bytes.subarray(0, 2)]);
  });

  it("is sent decompressed to other callers, with a different ETag", async () => {
    const { url } = await storedGzip();
    for (const headers of [{}, { "accept-encoding": "identity" }, { "accept-encoding": "br, gzip;q=0" }]) {
      const reply = await rawRequest(url, { headers: { ...headers, range: "bytes=0-1" } });
      expect([reply.status, reply.body.toString()]).toEqual([200, text]);
      expect(reply.headers["content-encoding"]).toBeUndefined();
      expect(reply.headers).toMatchObject({ "accept-ranges": "none", vary: "accept-encoding" });
      const again = { ...headers, "if-none-match": reply.headers.etag };
      expect((await rawRequest(url, { headers: again })).status).toBe(304);
      const compressed = { "accept-encoding": "gzip", "if-none-match": reply.headers.etag };
      expect(gunzipSync((await rawRequest(url, { headers: compressed })).body).toString()).toBe(text);
    }
    const head = await rawRequest(url, { method: "HEAD" });
    expect([head.status, head.headers["content-length"]]).toEqual([200, undefined]);
  });

  it("whose content is not gzip is sent as stored", async () => {
    const reply = await rawRequest(await stored({ encoding: "gzip" }), {});
    expect([reply.headers["content-encoding"], reply.body.toString()]).toEqual(["gzip", text]);
  });

  it("that is damaged aborts the connection instead of ending as a short file", async () => {
    const damaged = gzipSync(randomBytes(300_000)).subarray(0, 200_000);
    const { url } = await storedGzip(damaged);
    await expect(rawRequest(url, {})).rejects.toThrow("aborted");
  });

  it("with an encoding other than gzip is sent as stored", async () => {
    const reply = await rawRequest(await stored({ encoding: "zstd" }), {});
    expect([reply.headers["content-encoding"], reply.body.toString()]).toEqual(["zstd", text]);
  });
});

describe("the URL of an artifact", () => {
  it("works for any name, also after a client has normalized the URL", async () => {
    await fc.assert(
      fc.asyncProperty(hostileName, async (name) => {
        const url = await stored({ name, text: `I am ${name}` });
        const reply = await fetch(new URL(url));
        expect([reply.status, await reply.text()]).toEqual([200, `I am ${name}`]);
      }),
      { numRuns: 50 },
    );
  });

  it("does not allow uploads, and an upload URL does not allow downloads", async () => {
    const key = { taskId: slugid(), runId: 0, name: "x" };
    const get = await t.downloadUrl(key);
    const put = await fetch(get, { method: "PUT", body: "x", headers: { "content-type": "text/plain" } });
    expect([put.status, await messageOf(put)]).toEqual([
      403,
      expect.stringContaining("was not created for PUT"),
    ]);
    const got = await fetch(await t.uploadUrl(key, "text/plain"));
    expect([got.status, await messageOf(got)]).toEqual([
      403,
      expect.stringContaining("was not created for GET"),
    ]);
  });

  it("stays the same for a while, so that caches work, and expires at its time", async () => {
    const url = await stored();
    const key = { taskId: slugid(), runId: 0, name: "public/x" };
    const before = await t.downloadUrl(key);
    await t.clock.advance(10 * 60_000);
    expect(await t.downloadUrl(key)).toBe(before);
    await t.clock.advance(19 * 60_000);
    expect(await t.downloadUrl(key)).not.toBe(before);
    expect((await fetch(url)).status).toBe(200);
    await t.clock.advance(16 * 60_000);
    const late = await fetch(url);
    expect(late.status).toBe(403);
    expect(await messageOf(late)).toContain("This URL expired at 2026-01-01T00:45:00.000Z.");
  });

  it("starts with the configured root URL, if any", async () => {
    const configured = await testStore({ rootUrl: "https://ci.example.com/" });
    try {
      const url = await configured.downloadUrl({ taskId: slugid(), runId: 0, name: "x" });
      expect(url.startsWith("https://ci.example.com/artifact-store/")).toBe(true);
    } finally {
      await configured.close();
    }
  });

  it("replies to preflight requests of browsers", async () => {
    const reply = await fetch(await stored(), { method: "OPTIONS" });
    expect(reply.status).toBe(204);
    expect(reply.headers.get("access-control-allow-methods")).toBe("OPTIONS,GET,HEAD,PUT");
  });
});
