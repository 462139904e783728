import { request } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { hostileName } from "../../../../../test/support/hostile-names.ts";
import { s3Error, startS3Server, type S3Server } from "../../../../../test/support/s3-server.ts";
import { s3Buckets, s3Key } from "../../../../../test/support/s3-settings.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { systemClock } from "../../../../lib/clock.ts";
import type { ArtifactKey } from "../index.ts";
import { createS3Store, type S3Store, type S3StoreOptions } from "./s3-store.ts";

const minute = 60_000;
const rootUrl = "http://unused";
let s3: S3Server;
const stores: S3Store[] = [];
beforeAll(async () => {
  s3 = await startS3Server();
});
afterAll(async () => {
  for (const store of stores) store.close();
  await s3.close();
});
beforeEach(() => s3.intercept(undefined));

async function newStore(options: Partial<S3StoreOptions> = {}): Promise<S3Store> {
  const store = await createS3Store({
    endpoint: s3.endpoint,
    region: "us-east-1",
    ...s3Key,
    ...s3Buckets,
    forcePathStyle: true,
    signPublicUrls: false,
    signedUrlExpires: 30 * minute,
    clock: systemClock,
    ...options,
  });
  stores.push(store);
  return store;
}

const keyOf = (name: string, taskId = slugid()): ArtifactKey => ({ taskId, runId: 0, name });
const put = async (store: S3Store, key: ArtifactKey, text: string, contentType = "text/plain") =>
  fetch(await store.uploadUrl({ key, contentType, expires: Date.now() + 45 * minute, rootUrl }), {
    method: "PUT",
    body: new TextEncoder().encode(text),
    headers: { "content-type": contentType },
  });
const get = async (store: S3Store, key: ArtifactKey) => fetch(await store.downloadUrl({ key, rootUrl }));

describe("an upload URL", () => {
  it("accepts several PUTs of its type, the last of which wins, and has no checksums", async () => {
    const store = await newStore();
    const key = keyOf("logs/live.log");
    expect(await store.stat(key)).toBeUndefined();
    expect((await put(store, key, "first")).status).toBe(200);
    expect((await put(store, key, "second, longer")).status).toBe(200);
    const reply = await get(store, key);
    expect([await reply.text(), reply.headers.get("content-type")]).toEqual(["second, longer", "text/plain"]);
    expect(await store.stat(key)).toMatchObject({ contentType: "text/plain", size: 14, sha256: undefined });

    const url = await store.uploadUrl({ key, contentType: "a/b", expires: Date.now() + minute, rootUrl });
    expect(new URL(url).searchParams.get("X-Amz-SignedHeaders")).toBe("content-type;host");
    expect(url).not.toMatch(/checksum/i);
  });

  it("refuses another type, another key, and uploads after it expired", async () => {
    const key = keyOf("x");
    const url = await (
      await newStore()
    ).uploadUrl({ key, contentType: "text/plain", expires: Date.now() + minute, rootUrl });
    const attempt = async (to: string, type: string) => {
      const reply = await fetch(to, { method: "PUT", body: "x", headers: { "content-type": type } });
      return [reply.status, /<Code>(\w+)/.exec(await reply.text())?.[1]];
    };
    expect(await attempt(url, "text/html")).toEqual([403, "SignatureDoesNotMatch"]);
    expect(await attempt(url.replace("/x?", "/y?"), "text/plain")).toEqual([403, "SignatureDoesNotMatch"]);
    const then = Date.now() - 46 * minute;
    const late = await newStore({ clock: manualClock(then) });
    const expired = await late.uploadUrl({
      key,
      contentType: "text/plain",
      expires: then + 45 * minute,
      rootUrl,
    });
    expect(await attempt(expired, "text/plain")).toEqual([403, "AccessDenied"]);
  });

  it("is bound to the length if known, which must not exceed the limit of one PUT", async () => {
    const store = await newStore();
    const key = { object: "an object", uploadId: slugid() };
    const options = { key, contentType: "a/b", expires: Date.now() + minute, rootUrl };
    const url = await store.uploadUrl({ ...options, contentLength: 5 });
    const send = async (body: string) =>
      (await fetch(url, { method: "PUT", body, headers: { "content-type": "a/b" } })).status;
    expect(await send("123456")).toBe(403);
    expect(await send("12345")).toBe(200);
    await expect(store.uploadUrl({ ...options, contentLength: 5 * 1024 ** 3 + 1 })).rejects.toThrow(
      'The object "an object" has 5368709121 bytes, but S3 accepts at most 5368709120 in one PUT. Upload it in parts',
    );
  });

  it("is refused for names that are too long for S3", async () => {
    const store = await newStore();
    await expect(
      store.uploadUrl({
        key: keyOf("x".repeat(1000)),
        contentType: "a/b",
        expires: Date.now() + minute,
        rootUrl,
      }),
    ).rejects.toThrow("S3 keys have at most 1024 bytes, and this one has 1025. Use a shorter name.");
  });

  it("maps every other name to a separate key", async () => {
    const store = await newStore();
    // Short enough even if every character is escaped. The test server stores keys as files, which limits the length of
    // their parts, and it strips trailing spaces in XML.
    const name = hostileName.filter(
      (text) =>
        text.length < 300 && text.split("/").every((part) => part.length < 200) && !text.endsWith(" "),
    );
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        const key = { taskId: slugid(), runId: 0, name: text };
        expect((await put(store, key, `content of ${text}`)).status).toBe(200);
        expect(await (await get(store, key)).text()).toBe(`content of ${text}`);
        expect(await store.delete([key])).toEqual([]);
        expect(await store.stat(key)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});

describe("a download URL", () => {
  const name = "public/a b+c(1).txt";
  it("is unsigned for public artifacts, and signed for all others and for objects", async () => {
    const store = await newStore();
    const key = keyOf(name);
    await put(store, key, "hello");
    const url = await store.downloadUrl({ key, rootUrl });
    expect(url).toBe(`${s3.endpoint}/public-artifacts/${key.taskId}/0/public/a%20b%2Bc%281%29.txt`);
    expect(await (await fetch(url)).text()).toBe("hello");

    const secret = keyOf("public", key.taskId);
    const signed = new URL(await store.downloadUrl({ key: secret, rootUrl }));
    expect(signed.pathname).toBe(`/private-artifacts/${key.taskId}/0/public`);
    expect(signed.searchParams.get("X-Amz-Expires")).toBe("1800");
    const object = new URL(
      await store.downloadUrl({ key: { object: "public/x", contentId: "id" }, rootUrl }),
    );
    expect(object.pathname).toBe("/private-artifacts/objects/id/public/x");
    expect(object.searchParams.has("X-Amz-Signature")).toBe(true);
  });

  it("is signed for public artifacts if so configured", async () => {
    const store = await newStore({ signPublicUrls: true });
    const key = keyOf(name);
    await put(store, key, "hello");
    const url = await store.downloadUrl({ key, rootUrl });
    expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("1800");
    expect(await (await fetch(url)).text()).toBe("hello");
  });

  it("is that of the CDN for public artifacts, unless the caller skips it", async () => {
    const store = await newStore({ cdnUrl: "https://cdn.example.com/artifacts" });
    const key = keyOf(name);
    const at = `${key.taskId}/0/public/a%20b%2Bc%281%29.txt`;
    expect(await store.downloadUrl({ key, rootUrl })).toBe(`https://cdn.example.com/artifacts/${at}`);
    expect(await store.downloadUrl({ key, rootUrl, skipCdn: true })).toBe(
      `${s3.endpoint}/public-artifacts/${at}`,
    );
    expect(await store.downloadUrl({ key: keyOf("x"), rootUrl })).toContain("/private-artifacts/");
  });

  it("starts with the public endpoint, with the bucket in the host name unless path style is forced", async () => {
    const other = await newStore({ publicEndpoint: "https://s3.example.com/store", forcePathStyle: false });
    const key = keyOf("public/x");
    expect(await other.downloadUrl({ key, rootUrl })).toBe(
      `https://public-artifacts.s3.example.com/store/${key.taskId}/0/public/x`,
    );
    const aws = await newStore({ endpoint: undefined, region: "eu-west-1", forcePathStyle: false });
    expect(await aws.downloadUrl({ key, rootUrl })).toBe(
      `https://public-artifacts.s3.eu-west-1.amazonaws.com/${key.taskId}/0/public/x`,
    );
  });
});

describe("deletion", () => {
  it("deletes up to a thousand keys of a bucket per call, and ignores missing ones", async () => {
    const store = await newStore();
    const keys = Array.from({ length: 1001 }, (_, n) => keyOf(`nothing-${n}`));
    const kept = keyOf("public/kept");
    const gone = keyOf("public/gone");
    for (const key of [kept, gone]) await put(store, key, "x");
    s3.requests();
    expect(await store.delete([...keys, gone])).toEqual([]);
    expect(s3.requests().map((request) => request.replace(/&.*/, ""))).toEqual([
      "POST /private-artifacts?delete=",
      "POST /private-artifacts?delete=",
      "POST /public-artifacts?delete=",
    ]);
    expect([await store.stat(gone), await store.stat(kept)]).toMatchObject([undefined, { size: 1 }]);
  });

  it("returns failures of single keys and of whole calls", async () => {
    const store = await newStore();
    const [one, other, open] = [keyOf("one"), keyOf("other"), keyOf("public/open")];
    s3.intercept(({ url }) =>
      url.pathname === "/private-artifacts"
        ? {
            status: 200,
            body: `<DeleteResult><Error><Key>${one.taskId}/0/one</Key><Code>InternalError</Code><Message>try later</Message></Error></DeleteResult>`,
          }
        : s3Error(403, "AccessDenied"),
    );
    expect(await store.delete([one, other, open])).toMatchObject([
      {
        key: one,
        error: {
          message: `S3 did not delete private-artifacts/${one.taskId}/0/one: InternalError: try later. Check that the access key may delete.`,
        },
      },
      { key: open, error: { name: "AccessDenied" } },
    ]);
  });
});

describe("an upload in parts", () => {
  const part = Buffer.alloc(5 * 1024 ** 2, "0123456789");
  const send = (url: string, body: Uint8Array): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method: "PUT" }, (reply) => {
        if (reply.statusCode !== 200) reject(new Error(`the upload of a part failed: ${reply.statusCode}`));
        reply.resume().on("end", () => resolve(reply.headers.etag ?? ""));
      });
      sent.on("error", reject).end(body);
    });

  it("is assembled with the content type that was given when it was started", async () => {
    const store = await newStore();
    if (!store.parts) throw new Error("no uploads in parts");
    const key = { object: "big", contentId: slugid() };
    const uploadId = await store.parts.start(key, "a/b");
    const urls = await store.parts.urls({ key, uploadId, first: 1, last: 3, expires: Date.now() + minute });
    expect(store.parts.partBytes).toBe(64 * 1024 ** 2);
    const bodies = [part, part, Buffer.from("the end")];
    const etags = await Promise.all(urls.map((url, i) => send(url, bodies[i] ?? Buffer.alloc(0))));
    expect(await store.stat(key)).toBeUndefined();
    await store.parts.complete(key, uploadId, etags);
    expect(await store.stat(key)).toMatchObject({ contentType: "a/b", size: 2 * part.length + 7 });
    const url = await store.downloadUrl({ key, rootUrl });
    const content = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(content.equals(Buffer.concat(bodies))).toBe(true);
  });

  it("is refused if the parts do not match, and can be aborted more than once", async () => {
    const store = await newStore();
    if (!store.parts) throw new Error("no uploads in parts");
    const key = { object: "aborted", contentId: slugid() };
    const uploadId = await store.parts.start(key, "a/b");
    s3.intercept(() => s3Error(400, "InvalidPart"));
    await expect(store.parts.complete(key, uploadId, ['"no"'])).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining(
        'The store cannot assemble object "aborted" from these parts: InvalidPart of a test',
      ),
    });
    s3.intercept(undefined);
    await store.parts.abort(key, uploadId);
    await store.parts.abort(key, uploadId);
    expect(await store.stat(key)).toBeUndefined();
  });
});

describe("an upload by the server", () => {
  const upload = { object: "some/a b", uploadId: slugid() };
  const content = { object: "some/a b", contentId: slugid() };

  it("is stored, and copied with its type to a key that later uploads do not change", async () => {
    const store = await newStore();
    await store.put(upload, "text/x", Buffer.from("data"));
    const { etag = "" } = (await store.stat(upload)) ?? {};
    expect(await store.copyUpload(upload, content, etag)).toBe(true);
    await store.put(upload, "text/y", Buffer.from("other"));
    const reply = await fetch(await store.downloadUrl({ key: content, rootUrl }));
    expect([reply.headers.get("content-type"), await reply.text()]).toEqual(["text/x", "data"]);
  });

  it("is not copied if it was deleted or replaced", async () => {
    const store = await newStore();
    expect(await store.copyUpload({ ...upload, uploadId: slugid() }, content, '"x"')).toBe(false);
    s3.intercept(() => s3Error(412, "PreconditionFailed"));
    expect(await store.copyUpload(upload, content, '"x"')).toBe(false);
    s3.intercept(() => s3Error(403, "AccessDenied"));
    await expect(store.copyUpload(upload, content, '"x"')).rejects.toThrow("AccessDenied of a test");
  });
});
