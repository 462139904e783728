import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { givenDigests } from "./given-digests.ts";

const of = (algorithm: string, text: string, as: "hex" | "base64") =>
  createHash(algorithm).update(text).digest(as);
const headersFor = (text: string): Record<string, string>[] => [
  { "content-md5": of("md5", text, "base64") },
  { "x-amz-content-sha256": of("sha256", text, "hex") },
  { "content-digest": `md5=:AAAA:, sha-256=:${of("sha256", text, "base64")}:` },
  { digest: `SHA-256=${of("sha256", text, "base64")},md5=AAAA` },
];

describe("digests that an uploader gives", () => {
  let t: TestStore;
  beforeAll(async () => {
    t = await testStore();
  });
  afterAll(() => t.close());
  const put = (headers: Record<string, string>, key = { taskId: slugid(), runId: 0, name: "x" }) =>
    t.put(key, "text/plain", "hello", headers);

  it.each(headersFor("hello"))("let the upload in that has them: %j", async (headers) => {
    expect((await put(headers)).status).toBe(200);
  });

  it.each(headersFor("other"))("keep any other upload out, and what was there stays: %j", async (headers) => {
    const key = { taskId: slugid(), runId: 0, name: "x" };
    await t.put(key, "text/plain", "before");
    const reply = await put(headers, key);
    expect(reply.status).toBe(400);
    const { code, message } = (await reply.json()) as { code: string; message: string };
    expect(code).toBe("MalformedPayload");
    expect(message).toMatch(
      /^The upload has the (md5|sha256) [0-9a-f]+, but \S+ announced [0-9a-f]+: it was changed on/,
    );
    expect(await t.store.stat(key)).toMatchObject({ size: 6 });
  });

  it("may come in several headers, all of which count", async () => {
    const [md5, sha256] = [headersFor("hello")[0], headersFor("other")[1]];
    expect((await put({ ...md5, ...headersFor("hello")[1] })).status).toBe(200);
    expect((await put({ ...md5, ...sha256 })).status).toBe(400);
  });

  it("are not looked for where a header says something else", async () => {
    const others = {
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "content-digest": "sha-512=:AAAA:",
      digest: "md5=AAAA",
    };
    expect(givenDigests(others)).toEqual([]);
    expect((await put(others)).status).toBe(200);
  });

  it("are refused where they are none", async () => {
    for (const headers of [
      { "content-md5": "AAAA" },
      { "x-amz-content-sha256": "ab" },
      { digest: "sha-256=AAAA" },
    ]) {
      const reply = await put(headers);
      expect(reply.status).toBe(400);
      expect(await reply.text()).toContain("does not hold a digest by ");
    }
  });
});
