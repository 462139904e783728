import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { ClientRequest } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { rawRequest, testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { eventually, until } from "../../../../../test/support/until.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { slugid } from "../../../../lib/slugid.ts";
import type { StoreKey } from "../index.ts";

const KB = 1024;
let t: TestStore;
beforeEach(async () => {
  t = await testStore({ maxSize: 200 * KB });
});
afterEach(() => t.close());

const key = (name = "public/a.txt") => ({ taskId: slugid(), runId: 0, name });
const errorOf = async (response: Response) => (await response.json()) as { code: string; message: string };

describe("an upload", () => {
  it("is stored with its type, size and hash, readable only by the server's user", async () => {
    const of = key();
    const reply = await t.put(of, "text/plain; charset=utf-8", "hello");
    const sha256 = createHash("sha256").update("hello").digest("hex");
    expect([reply.status, reply.headers.get("etag")]).toEqual([200, `"${sha256}"`]);
    expect(await t.store.stat(of)).toEqual({
      contentType: "text/plain; charset=utf-8",
      contentEncoding: undefined,
      size: 5,
      sha256,
      etag: expect.any(String),
      lastModified: new Date(t.clock.now()),
    });
    expect((await stat(join(t.dir, "artifacts"))).mode & 0o777).toBe(0o700);
    for (const file of await t.files()) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("keeps its content encoding and its bytes, although the API decompresses such bodies", async () => {
    const of = key();
    const bytes = gzipSync(`{"a":${"1".repeat(2000)}}`);
    const reply = await fetch(await t.uploadUrl(of, "application/json"), {
      method: "PUT",
      body: bytes,
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect(reply.status).toBe(200);
    expect(await t.store.stat(of)).toMatchObject({ contentEncoding: "gzip", size: bytes.length });
    const file = (await t.files()).find((path) => !path.endsWith(".json"));
    expect(await readFile(file ?? "")).toEqual(bytes);
  });

  it("may be empty, and have no type or an invalid one", async () => {
    for (const contentType of ["", "text", "a/b/c;;"]) {
      const of = key();
      const headers = contentType === "" ? {} : { "content-type": contentType };
      const reply = await rawRequest(await t.uploadUrl(of, contentType), {
        method: "PUT",
        headers: { ...headers, "content-length": 0 },
      });
      expect([reply.status, reply.body.toString()]).toEqual([200, ""]);
      expect(await t.store.stat(of)).toMatchObject({ contentType, size: 0 });
    }
  });

  it("may be sent in chunks, without a content length", async () => {
    const of = key();
    const reply = await rawRequest(
      await t.uploadUrl(of, "text/plain"),
      { method: "PUT", headers: { "content-type": "text/plain" } },
      (request) => {
        request.write("one ");
        request.end("two");
      },
    );
    expect(reply.status).toBe(200);
    expect(await t.store.stat(of)).toMatchObject({ size: 7 });
  });

  it("replaces the previous one, whose bytes are removed", async () => {
    const of = key();
    for (const text of ["first", "the second"]) await t.put(of, "text/plain", text);
    expect(await (await fetch(await t.downloadUrl(of))).text()).toBe("the second");
    expect(await t.files()).toHaveLength(2);
  });

  it("takes effect when it is complete, in any order of starts", async () => {
    const of = key();
    const url = await t.uploadUrl(of, "text/plain");
    let finishSlow = (): void => undefined;
    const slow = rawRequest(
      url,
      { method: "PUT", headers: { "content-type": "text/plain", "content-length": 8 } },
      (request) => {
        request.write("slow");
        finishSlow = () => request.end("slow");
      },
    );
    await t.put(of, "text/plain", "fast");
    expect(await (await fetch(await t.downloadUrl(of))).text()).toBe("fast");
    finishSlow();
    expect((await slow).status).toBe(200);
    expect(await (await fetch(await t.downloadUrl(of))).text()).toBe("slowslow");
  });

  it("is intact if there are several concurrent ones", async () => {
    const of = key();
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(50_000 + i));
    await Promise.all(texts.map((text) => t.put(of, "text/plain", text)));
    const stored = await (await fetch(await t.downloadUrl(of))).text();
    expect(texts).toContain(stored);
    expect(await t.store.stat(of)).toMatchObject({
      size: stored.length,
      sha256: createHash("sha256").update(stored).digest("hex"),
    });
    // Concurrent writers may leave bytes without a description. Deleting the artifact removes them too.
    await t.store.delete([of]);
    expect(await t.files()).toEqual([]);
  });
});

describe("an upload is refused, and leaves nothing behind,", () => {
  it("if its type is not that of the URL", async () => {
    const url = await t.uploadUrl(key(), "text/plain");
    const reply = await fetch(url, { method: "PUT", body: "<p>", headers: { "content-type": "text/html" } });
    expect(reply.status).toBe(403);
    expect(await errorOf(reply)).toMatchObject({
      code: "AccessDenied",
      message: expect.stringContaining(
        'Content-Type is "text/html", but this URL was created for "text/plain".',
      ),
    });
    expect(await t.files()).toEqual([]);
  });

  it("if its content length exceeds the limit", async () => {
    const reply = await t.put(key(), "text/plain", "x".repeat(200 * KB + 1));
    expect(reply.status).toBe(413);
    expect(await errorOf(reply)).toMatchObject({
      code: "InputTooLarge",
      message: expect.stringContaining(
        "The artifact has 204801 bytes, which exceeds the limit of 204800 bytes (setting artifacts.maxSize).",
      ),
      requestInfo: { method: "uploadArtifact" },
    });
    expect(await t.files()).toEqual([]);
  });

  it("if it exceeds the limit without a content length", async () => {
    const reply = await rawRequest(
      await t.uploadUrl(key(), "text/plain"),
      { method: "PUT", headers: { "content-type": "text/plain" } },
      (request) => {
        for (let i = 0; i < 3; i++) request.write("x".repeat(100 * KB));
        request.end();
      },
    );
    expect(reply.status).toBe(413);
    expect(reply.body.toString()).toContain("The artifact exceeds the limit of 204800 bytes");
    expect(await t.files()).toEqual([]);
  });

  it("if its key no longer accepts uploads when it starts, or when a long one ends", async () => {
    const of = key();
    const checked: StoreKey[] = [];
    let closed = false;
    const store = await testStore({
      async checkUpload(asked) {
        checked.push(asked);
        if (closed) throw new ApiError("AccessDenied", "The run has ended. Rerun the task.");
      },
    });
    onTestFinished(() => store.close());
    expect((await store.put(of, "text/plain", "before")).status).toBe(200);
    expect(checked).toEqual([of]);
    const sendSlowly = async (request: ClientRequest): Promise<void> => {
      request.write("af");
      await until("the start to be checked", async () => checked.length === 2);
      closed = true;
      await store.clock.advance(6_000);
      request.end("ter");
    };
    const long = await rawRequest(
      await store.uploadUrl(of, "text/plain"),
      { method: "PUT", headers: { "content-type": "text/plain" } },
      (request) => void sendSlowly(request),
    );
    const reply = await store.put(of, "text/plain", "after");
    for (const { status, body } of [long, { status: reply.status, body: await reply.text() }]) {
      expect(status).toBe(403);
      expect(JSON.parse(body.toString())).toMatchObject({
        code: "AccessDenied",
        message: expect.stringMatching(/^The run has ended\. Rerun the task\./),
        requestInfo: { method: "uploadArtifact" },
      });
    }
    expect(checked).toHaveLength(4);
    expect(await store.store.stat(of)).toMatchObject({ size: 6 });
    // The description and the bytes.
    expect(await store.files()).toHaveLength(2);
  });

  it("if its content encoding is malformed", async () => {
    const reply = await t.put(key(), "text/plain", "x", { "content-encoding": "gzip; please" });
    expect(reply.status).toBe(400);
    expect((await errorOf(reply)).message).toContain('Content-Encoding "gzip; please" is not the name');
    expect(await t.files()).toEqual([]);
  });

  it("if the client disconnects in the middle", async () => {
    const url = await t.uploadUrl(key(), "text/plain");
    const sent = rawRequest(
      url,
      { method: "PUT", headers: { "content-type": "text/plain", "content-length": 100 } },
      (request) => {
        request.write("half of it", () => request.destroy());
      },
    );
    await expect(sent).rejects.toThrow("socket hang up");
    await eventually(async () => expect(await t.files()).toEqual([]));
    expect(t.records.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("if it stalls", async () => {
    const impatient = await testStore({ idleTimeoutMs: 50 });
    try {
      const sent = rawRequest(
        await impatient.uploadUrl(key(), "text/plain"),
        { method: "PUT", headers: { "content-type": "text/plain", "content-length": 100 } },
        (request) => request.write("half of it"),
      );
      await expect(sent).rejects.toThrow("socket hang up");
      await eventually(async () => expect(await impatient.files()).toEqual([]));
    } finally {
      await impatient.close();
    }
  });
});
