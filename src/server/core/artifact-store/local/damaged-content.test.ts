// Content that changed in the store after its upload must never be sent as if it were intact.
import { open, readFile, truncate, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rawRequest, testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { eventually } from "../../../../../test/support/until.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { CHECKED_FIRST_LIMIT } from "./verified-stream.ts";

let t: TestStore;
beforeEach(async () => {
  t = await testStore({ maxSize: 10 * CHECKED_FIRST_LIMIT });
});
afterEach(() => t.close());

const key = () => ({ taskId: slugid(), runId: 0, name: "public/x" });
const fileOf = async (): Promise<string> =>
  (await t.files()).find((path) => !path.endsWith(".json")) ?? "no file";

/** Stores bytes and returns their URL. */
async function stored(bytes: Buffer, encoding?: string): Promise<string> {
  const of = key();
  const headers = { "content-type": "a/b", ...(encoding !== undefined && { "content-encoding": encoding }) };
  const reply = await fetch(await t.uploadUrl(of, "a/b"), { method: "PUT", body: bytes, headers });
  expect(reply.status).toBe(200);
  return t.downloadUrl(of);
}

/** Changes one byte. */
async function damage(at: number): Promise<void> {
  const file = await open(await fileOf(), "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await file.close();
}

const damagedReply = {
  code: "InternalServerError",
  message: expect.stringContaining(
    "is damaged and cannot be sent. Only another upload can repair it: rerun the task.",
  ),
};
const reported = () => t.records.map(({ err }) => (err as { message?: string } | undefined)?.message);

describe("damaged content", () => {
  it.each([
    ["plain", undefined],
    ["compressed", "gzip"],
  ])("of usual size causes an error reply (%s)", async (_, encoding) => {
    const url = await stored(
      encoding === undefined ? Buffer.from("0123456789") : gzipSync("0123456789"),
      encoding,
    );
    await damage(9);
    for (const headers of [{}, { "accept-encoding": "gzip" }]) {
      const reply = await rawRequest(url, { headers });
      expect(reply.status).toBe(500);
      expect(JSON.parse(reply.body.toString())).toMatchObject(damagedReply);
      // No headers that describe the content.
      for (const header of ["etag", "content-encoding", "last-modified"])
        expect(reply.headers).not.toHaveProperty(header);
    }
    expect(reported()[0]).toMatch(
      /^[0-9a-f]{32}-public-x\.[0-9a-f]{24} no longer has the SHA-256 [0-9a-f]{64} of its upload/,
    );
  });

  it("that was truncated or extended causes an error reply, also to HEAD and range requests", async () => {
    const url = await stored(Buffer.from("0123456789"));
    for (const change of [
      async () => truncate(await fileOf(), 9),
      async () => writeFile(await fileOf(), "0123456789 and more"),
    ]) {
      await change();
      for (const request of [{}, { headers: { range: "bytes=0-1" } }, { method: "HEAD" }])
        expect((await rawRequest(url, request)).status).toBe(500);
    }
    expect(reported()[0]).toContain("has 9 bytes, but 10 were stored");
  });

  it.each([
    ["at its start", 0],
    ["at its end", 2 * CHECKED_FIRST_LIMIT],
  ])("of a large artifact, %s, aborts the transfer", async (_, at) => {
    const url = await stored(Buffer.alloc(2 * CHECKED_FIRST_LIMIT + 1, "x"));
    await damage(at);
    await expect(rawRequest(url, {})).rejects.toThrow("aborted");
    // A range is not verified, since that requires reading the whole content.
    const range = await rawRequest(url, { headers: { range: "bytes=1-4" } });
    expect([range.status, range.body.toString()]).toEqual([206, "xxxx"]);
    await eventually(() =>
      expect(reported()).toContainEqual(expect.stringContaining("no longer has the SHA-256")),
    );
  });

  it("of a large compressed artifact aborts a transfer that decompresses it", async () => {
    const content = Buffer.alloc(2 * CHECKED_FIRST_LIMIT, "taskyard ");
    // Level 0, so that it stays large.
    const compressed = gzipSync(content, { level: 0 });
    const url = await stored(compressed, "gzip");
    expect((await rawRequest(url, {})).body.equals(content)).toBe(true);
    // The time in gzip's header, which does not affect decompression.
    await damage(5);
    expect(gunzipSync(await readFile(await fileOf())).equals(content)).toBe(true);
    await expect(rawRequest(url, {})).rejects.toThrow("aborted");
  });
});

it("intact content of any size is sent completely", async () => {
  for (const size of [0, 1, CHECKED_FIRST_LIMIT, CHECKED_FIRST_LIMIT + 1, 3 * CHECKED_FIRST_LIMIT]) {
    const bytes = Buffer.alloc(size, "taskyard ");
    expect((await rawRequest(await stored(bytes), {})).body.equals(bytes)).toBe(true);
  }
});
