// Fills a server with data that belong to somebody.
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { createKnown, type Known } from "./contract-calls.ts";
import { createTask } from "./factories.ts";
import type { Stack } from "./stack.ts";

/** In every text that belongs to somebody, and in no request of a test. */
export const mark = "private-3f9c1d";

/** Creates something of every kind, with the mark wherever a text may be. */
export async function createPrivateData(
  stack: Stack,
): Promise<{ readonly known: Known; readonly storeUrl: string }> {
  const { client } = stack;
  const known = await createKnown(stack);
  const base = await createTask(client, {
    taskQueueId: "a/b",
    schedulerId: mark,
    projectId: mark,
    routes: [mark],
    scopes: [`${mark}:*`],
    payload: { command: [["echo", mark]], env: { TOKEN: mark } },
    metadata: {
      name: mark,
      description: mark,
      owner: `${mark}@example.com`,
      source: `https://${mark}.example.com`,
    },
    tags: { tag: mark },
    extra: { extra: mark },
  });
  await createTask(client, {
    dependencies: [base],
    schedulerId: mark,
    taskGroupId: base,
    metadata: { name: mark, description: mark, owner: mark, source: `https://${mark}` },
  });
  const run = { taskId: base, runId: 0 };
  await client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const queue = client.queue;
  await queue.createArtifact(
    { ...run, name: "public/a" },
    { storageType: "reference", expires, contentType: "text/plain", url: `https://${mark}.example.com` },
  );
  await queue.createArtifact(
    { ...run, name: `public/${mark}` },
    { storageType: "error", expires, reason: "file-missing-on-worker", message: mark },
  );
  const stored = await queue.createArtifact(
    { ...run, name: "private" },
    { storageType: "s3", expires, contentType: "text/plain", contentLength: mark.length },
  );
  if (!("putUrl" in stored)) throw new Error("no upload URL");
  await fetch(stored.putUrl, { method: "PUT", body: mark, headers: { "content-type": "text/plain" } });
  await client.object.createUpload(
    { name: "o" },
    {
      projectId: "p",
      uploadId: slugid(),
      expires,
      proposedUploadMethods: {
        dataInline: { contentType: "a/b", objectData: Buffer.from(mark).toString("base64") },
      },
    },
  );
  const worker = { provisionerId: "a", workerType: "b", workerGroup: "g", workerId: "w" };
  await queue.quarantineWorker(worker, { quarantineUntil: expires, quarantineInfo: mark });
  await createServiceData(stack.client, expires);
  return {
    known: { ...known, taskId: [base], taskGroupId: [base], runId: ["0"] },
    storeUrl: new URL((await queue.getArtifact({ ...run, name: "private" })).url).pathname,
  };
}

/** Puts the mark into what `createKnown` has created in other services than the queue. */
async function createServiceData(
  { auth, index, secrets, purgeCache, workerManager }: Client,
  expires: string,
) {
  await auth.updateClient({ clientId: "a/client" }, { expires, description: mark, scopes: [`${mark}:a`] });
  await auth.updateRole({ roleId: "a/role" }, { scopes: [`${mark}:a`], description: mark });
  const { taskId } = await index.findTask({ indexPath: "a.b.c" });
  await index.insertTask({ namespace: "a.b.c" }, { taskId, rank: 2, data: { mark }, expires });
  await secrets.set({ name: "public/a" }, { secret: { mark }, expires });
  const pool = { workerPoolId: "a/b" };
  await purgeCache.purgeCache(pool, { cacheName: mark });
  await workerManager.updateWorkerPool(pool, {
    providerId: "static",
    description: mark,
    config: { workerConfig: { mark } },
    owner: `${mark}@example.com`,
    emailOnError: false,
  });
  await workerManager.reportWorkerError(pool, {
    workerGroup: "g",
    workerId: "w",
    kind: "a-kind",
    title: mark,
    description: mark,
    extra: { mark },
  });
}
