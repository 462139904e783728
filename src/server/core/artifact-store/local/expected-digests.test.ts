import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { expectedDigests } from "./expected-digests.ts";

const of = (algorithm: string, text: string, as: "hex" | "base64") =>
  createHash(algorithm).update(text).digest(as);
const headersFor = (text: string): Record<string, string>[] => [
  { "content-md5": of("md5", text, "base64") },
  { "x-amz-content-sha256": of("sha256", text, "hex") },
  { "content-digest": `md5=:AAAA:, sha-256=:${of("sha256", text, "base64")}:` },
  { digest: `SHA-256=${of("sha256", text, "base64")},md5=AAAA` },
];

describe("digests in the headers of an upload", () => {
  let t: TestStore;
  beforeAll(async () => {
    t = await testStore();
  });
  afterAll(() => t.close());
  const put = (headers: Record<string, string>, key = { taskId: slugid(), runId: 0, name: "x" }) =>
    t.put(key, "text/plain", "hello", headers);

  it.each(headersFor("hello"))("are accepted if they match: %j", async (headers) => {
    expect((await put(headers)).status).toBe(200);
  });

  it.each(headersFor("other"))(
    "are refused otherwise, and keep the previous content: %j",
    async (headers) => {
      const key = { taskId: slugid(), runId: 0, name: "x" };
      await t.put(key, "text/plain", "before");
      const reply = await put(headers, key);
      expect(reply.status).toBe(400);
      const { code, message } = (await reply.json()) as { code: string; message: string };
      expect(code).toBe("MalformedPayload");
      expect(message).toMatch(
        /^The (md5|sha256) digest of the upload is [0-9a-f]+, but \S+ is [0-9a-f]+: the content changed in transit/,
      );
      expect(await t.store.stat(key)).toMatchObject({ size: 6 });
    },
  );

  it("may be in several headers, which must all match", async () => {
    const [md5, sha256] = [headersFor("hello")[0], headersFor("other")[1]];
    expect((await put({ ...md5, ...headersFor("hello")[1] })).status).toBe(200);
    expect((await put({ ...md5, ...sha256 })).status).toBe(400);
  });

  it("are not read from headers with other values", async () => {
    const others = {
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "content-digest": "sha-512=:AAAA:",
      digest: "md5=AAAA",
    };
    expect(expectedDigests(others)).toEqual([]);
    expect((await put(others)).status).toBe(200);
  });

  it("are refused if they are malformed", async () => {
    for (const headers of [
      { "content-md5": "AAAA" },
      { "x-amz-content-sha256": "ab" },
      { digest: "sha-256=AAAA" },
    ]) {
      const reply = await put(headers);
      expect(reply.status).toBe(400);
      expect(await reply.text()).toMatch(/must contain an? (MD5|SHA-256) digest, and does not\./);
    }
  });
});
