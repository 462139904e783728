// Finished objects do not change, on both stores and with several servers.
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startS3Server, type S3Server } from "../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { makeTemporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { slugid } from "../../../lib/slugid.ts";

const projectId = "none";
const expires = new Date(Date.now() + 3_600_000).toISOString();

describe.each(["local", "s3"] as const)("a finished object on the %s store", (kind) => {
  let s3: S3Server | undefined;
  let folder: string;
  let stack: Stack;
  let other: Stack;
  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    if (kind === "s3") s3 = await startS3Server();
    const options = {
      roles: ["api" as const],
      config: { artifacts: { dir: folder } },
      ...(s3 && { s3 }),
    };
    stack = await testStack(options);
    other = await testStack({ ...options, database: stack.database });
  });
  afterAll(async () => {
    await other.stop();
    await stack.stop();
    await s3?.close();
    await rm(folder, { recursive: true });
  });

  /** Starts an upload of three bytes. */
  async function start() {
    const name = `tests/${slugid()}/a b`;
    const ids = { projectId, uploadId: slugid() };
    const proposedUploadMethods = { putUrl: { contentType: "a/b", contentLength: 3 } };
    const { uploadMethod } = await stack.client.object.createUpload(
      { name },
      { ...ids, expires, proposedUploadMethods },
    );
    const { url = "", headers = {} } = uploadMethod.putUrl ?? {};
    return {
      put: async (body: string) => (await fetch(url, { method: "PUT", headers, body })).status,
      finish: (by: Stack = stack) => by.client.object.finishUpload({ name }, ids),
      async content() {
        const accepted = { acceptDownloadMethods: { simple: true as const } };
        const { url: from } = await other.client.object.startDownload({ name }, accepted);
        return (await fetch(from)).text();
      },
    };
  }

  it("has the last content uploaded before, despite later uploads", async () => {
    const { put, finish, content } = await start();
    expect([await put("bad"), await put("one")]).toEqual([200, 200]);
    await finish();
    // In S3 the URL still works for its 45 minutes, but its content is never read.
    expect(await put("two")).toBe(kind === "local" ? 403 : 200);
    await finish(other);
    expect(await content()).toBe("one");
  });

  it("is the same for all readers, even if it is uploaded and finished concurrently and repeatedly", async () => {
    for (let attempt = 0; attempt < 8; attempt++) {
      const { put, finish, content } = await start();
      await put("000");
      const puts = Promise.all(["111", "222", "333"].map(put));
      const calls = await Promise.allSettled([finish(), finish(other)]);
      for (const call of calls)
        if (call.status === "rejected")
          // Another upload replaced it after it was read. The S3 server of the tests also serves incomplete uploads.
          expect(call.reason).toMatchObject({ code: "RequestConflict", statusCode: 409 });
      const early = calls.some(({ status }) => status === "fulfilled") ? await content() : undefined;
      await puts;
      await finish();
      const finished = await content();
      expect(early ?? finished).toBe(finished);
      await put("444");
      await Promise.all([finish(), finish(other)]);
      expect(await content()).toBe(finished);
    }
  });
});
