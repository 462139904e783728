// Taskcluster's client uploads and downloads objects, and artifacts of type object, with each store.
import { randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runningTask } from "../support/running-task.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { peer, type PeerCredentials } from "./peer-client.ts";

describe.each(["local", "s3"] as const)("the compatible client on the %s store", (kind) => {
  let s3: S3Server | undefined;
  let stack: Stack;
  beforeAll(async () => {
    if (kind === "s3") s3 = await startS3Server();
    stack = await testStack({ roles: ["api"], ...(s3 && { s3 }) });
  });
  afterAll(async () => {
    await stack.stop();
    await s3?.close();
  });

  const objects = (credentials: PeerCredentials) =>
    new peer.Object({ rootUrl: stack.rootUrl, credentials, retries: 0 });
  const source = (content: Buffer) => () => Promise.resolve(Readable.from([content], { objectMode: false }));
  /** Collects the content of a download. */
  function sink() {
    let chunks: Buffer[] = [];
    return {
      content: () => Buffer.concat(chunks),
      streamFactory: () => {
        chunks = [];
        return Promise.resolve(
          new Writable({
            write: (chunk: Buffer, _encoding, done) => {
              chunks.push(chunk);
              done();
            },
          }),
        );
      },
    };
  }

  it.each([0, 100, 8191, 8192, 300_000])(
    "uploads and downloads an object of %i bytes",
    async (contentLength) => {
      const object = objects(stack.rootCredentials);
      const content = randomBytes(contentLength);
      const name = `some/name ${peer.slugid()}`;
      const expires = peer.fromNow("1 hour");
      const options = { projectId: "p", name, contentType: "a/b", contentLength, expires, object };
      await peer.upload({ ...options, streamFactory: source(content) });
      const { content: received, streamFactory } = sink();
      expect(await peer.download({ name, object, streamFactory })).toBe("a/b");
      expect(received().equals(content)).toBe(true);
      // The client sent both hashes, and checked one of them after the download.
      expect(Object.keys((await object.object(name)).hashes).toSorted()).toEqual(["sha256", "sha512"]);
      const url = object.buildSignedUrl(object.download, name);
      expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(content)).toBe(true);
    },
  );

  it("uploads an artifact of type object as a worker, and downloads it as a user", async () => {
    const { taskId, worker } = await runningTask(stack);
    const name = "public/build/a b.bin";
    const content = randomBytes(20_000);
    const expires = peer.fromNow("1 hour");
    const created = await worker.queue.createArtifact(
      { taskId, runId: "0", name },
      { storageType: "object", expires: expires.toISOString(), contentType: "a/b" },
    );
    if (created.storageType !== "object") throw new Error("not an object");
    const { uploadId, projectId, credentials } = created;
    await peer.upload({
      projectId,
      uploadId,
      name: created.name,
      contentType: "a/b",
      contentLength: content.length,
      expires: new Date(created.expires),
      object: objects(credentials),
      streamFactory: source(content),
    });
    const queue = new peer.Queue({ rootUrl: stack.rootUrl, credentials: stack.rootCredentials });
    await queue.finishArtifact(taskId, 0, name, { uploadId });
    const { content: received, streamFactory } = sink();
    expect(await peer.downloadArtifact({ taskId, name, queue, streamFactory })).toBe("a/b");
    expect(received().equals(content)).toBe(true);
  });
});
