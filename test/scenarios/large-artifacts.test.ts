// Artifacts that are too large for one PUT, from the task to the download, with each store.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTask } from "../support/factories.ts";
import { startS3Server, type S3Server } from "../support/s3-server.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { startTestWorker, type TestWorker } from "../support/worker.ts";

// The least that S3 accepts.
const partBytes = 5 * 1024 ** 2;
const taskQueueId = "test/queue";

describe.each(["local", "s3"] as const)("a worker with the %s store", (kind) => {
  let s3: S3Server | undefined;
  let stack: Stack;
  let worker: TestWorker;
  beforeAll(async () => {
    if (kind === "s3") s3 = await startS3Server();
    stack = await testStack(s3 ? { s3, partBytes } : {});
    const { client } = stack;
    worker = await startTestWorker(stack.rootUrl, { client, taskQueueId, maxPutSize: 100_000 });
  });
  afterAll(async () => {
    await worker.end();
    await stack.stop();
    await s3?.close();
  });

  test("uploads files that are too large for one PUT as objects, which clients download like any artifact", async () => {
    // parts.bin has more than one part. text.txt fits into one PUT when compressed. large.txt does not compress, so it
    // is stored uncompressed.
    const files = {
      "parts.bin": partBytes + 1_000_000,
      "small.bin": 100_000,
      "large.txt": 100_001,
      "text.txt": 1_000_000,
    };
    const script = `
      head -c ${files["parts.bin"]} /dev/zero > parts.bin
      head -c ${files["small.bin"]} /dev/zero > small.bin
      head -c ${files["large.txt"]} /dev/urandom > large.txt
      head -c ${files["text.txt"]} /dev/zero > text.txt
      sha256sum *.*`;
    const artifacts = Object.keys(files).map((path) => ({
      type: "file",
      path,
      name: `public/${path}`,
      contentEncoding: path.endsWith(".txt") ? "gzip" : "identity",
    }));
    const payload = { command: [["sh", "-c", script]], maxRunTime: 60, artifacts };
    const taskId = await createTask(stack.client, { taskQueueId, payload });
    await vi.waitFor(async () => {
      const { status } = await stack.client.queue.status({ taskId });
      expect(status.state).toBe("completed");
    }, 180_000);

    const list = await stack.client.queue.listLatestArtifacts({ taskId });
    expect(list.artifacts.map(({ name, storageType }) => `${name} ${storageType}`)).toEqual([
      "public/large.txt object",
      "public/logs/live.log link",
      "public/logs/live_backing.log s3",
      "public/parts.bin object",
      "public/small.bin s3",
      "public/text.txt s3",
    ]);
    const read = async (name: string): Promise<Buffer> => {
      const { url } = await stack.client.queue.getLatestArtifact({ taskId, name: `public/${name}` });
      return Buffer.from(await (await fetch(url)).arrayBuffer());
    };
    const log = (await read("logs/live_backing.log")).toString();
    for (const [name, size] of Object.entries(files)) {
      const content = await read(name);
      expect([name, content.length]).toEqual([name, size]);
      expect(log).toContain(`${createHash("sha256").update(content).digest("hex")}  ${name}`);
    }
    const { hashes } = await stack.client.object.object({ name: `t/${taskId}/0/public/parts.bin` });
    expect(log).toContain(hashes.sha256);
    if (s3) expect(s3.requests().filter((request) => request.includes("partNumber="))).toHaveLength(2);
  });
});
