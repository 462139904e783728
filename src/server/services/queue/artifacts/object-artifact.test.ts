// Artifacts of type object from creation to download, on each store.
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runningTask, type RunningTask } from "../../../../../test/support/running-task.ts";
import { startS3Server, type S3Server } from "../../../../../test/support/s3-server.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { CreateArtifactReply } from "../../../../api/queue/artifacts.ts";
import type { Client } from "../../../../client/index.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const hour = 3_600_000;
const inHours = (n: number): string => new Date(Date.now() + n * hour).toISOString();
const body = (expires = inHours(2), contentType = "text/plain") => ({
  storageType: "object" as const,
  expires,
  contentType,
});

describe.each(["local", "s3"] as const)("an artifact of type object on the %s store", (kind) => {
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

  type Reply = Extract<CreateArtifactReply, { storageType: "object" }>;
  async function create({ worker, run }: RunningTask, name: string, request = body()): Promise<Reply> {
    const reply = await worker.queue.createArtifact({ ...run, name }, request);
    if (reply.storageType !== "object") throw new Error("not the reply of an object");
    return reply;
  }
  /** Uploads the object and finishes the upload, with the credentials of the reply. */
  async function upload({ name, projectId, uploadId, expires, credentials }: Reply, text: string) {
    const { object } = stack.as(credentials);
    const objectData = Buffer.from(text).toString("base64");
    const dataInline = { contentType: "text/plain", objectData };
    await object.createUpload(
      { name },
      { projectId, uploadId, expires, proposedUploadMethods: { dataInline } },
    );
    await object.finishUpload({ name }, { projectId, uploadId });
  }
  const artifactEvents = async (taskId: string) =>
    (
      await stack.database.db.many(
        Type.Object({ payload: Type.String() }),
        sql`
        select payload from events
        where exchange = 'exchange/taskcluster-queue/v1/artifact-created'
          and routing_key like ${`primary.${taskId}.%`}
        order by id`,
      )
    ).map(({ payload }) => (JSON.parse(payload) as { artifact: unknown }).artifact);

  it("is uploaded through the object service, and is available and published when it is finished", async () => {
    const task = await runningTask(stack, { projectId: "a/project" });
    const expires = inHours(2);
    const reply = await create(task, "public/a b", { ...body(expires) });
    const { taskId } = task;
    expect(reply).toEqual({
      storageType: "object",
      name: `t/${taskId}/0/public/a b`,
      projectId: "a/project",
      uploadId: expect.stringMatching(/^[\w-]{22}$/),
      expires,
      credentials: {
        clientId: `artifact-upload/${taskId}/0/on/group/worker`,
        accessToken: expect.any(String),
        certificate: expect.any(String),
      },
    });
    expect(JSON.parse(reply.credentials.certificate)).toMatchObject({
      scopes: [`object:upload:a/project:t/${taskId}/0/public/a b`],
      expiry: Date.parse(expires),
    });

    const at = { ...task.run, name: "public/a b" };
    const { queue } = stack.client;
    // Not available, but listed.
    await expect(queue.artifactInfo(at)).rejects.toMatchObject({ code: "ResourceNotFound" });
    await expect(queue.getArtifact(at)).rejects.toMatchObject({ code: "ResourceNotFound" });
    const listed = { storageType: "object", name: "public/a b", expires, contentType: "text/plain" };
    expect(await queue.listArtifacts(task.run)).toEqual({ artifacts: [listed] });

    await upload(reply, "hello");
    expect(await artifactEvents(taskId)).toEqual([]);
    await task.worker.queue.finishArtifact(at, { uploadId: reply.uploadId });
    expect(await artifactEvents(taskId)).toEqual([listed]);
    expect(await queue.artifactInfo(at)).toEqual(listed);

    const found = await fetch(`${stack.rootUrl}/api/queue/v1/task/${taskId}/runs/0/artifacts/public/a%20b`, {
      redirect: "manual",
    });
    expect(found.status).toBe(303);
    expect(found.headers.get("x-taskcluster-artifact-storage-type")).toBe("object");
    const { url } = (await found.json()) as { url: string };
    expect(found.headers.get("location")).toBe(url);
    expect(await (await fetch(url)).text()).toBe("hello");

    const content = await queue.artifact(at);
    if (content.storageType !== "object") throw new Error("not an object");
    expect([content.name, content.credentials.clientId]).toEqual([
      reply.name,
      `artifact-download/${taskId}/0/public/a_b`,
    ]);
    const started = await stack
      .as(content.credentials)
      .object.startDownload({ name: content.name }, { acceptDownloadMethods: { simple: true } });
    expect(await (await fetch(started.url)).text()).toBe("hello");
    const other = stack.as(content.credentials).object.object({ name: `${content.name}x` });
    await expect(other).rejects.toMatchObject({ code: "InsufficientScopes" });
  });

  it("receives credentials for at most one day, and the default project", async () => {
    const task = await runningTask(stack, { expires: inHours(100) });
    const { projectId, credentials } = await create(task, "x", body(inHours(90)));
    expect(projectId).toBe("none");
    const { start, expiry } = JSON.parse(credentials.certificate) as { start: number; expiry: number };
    expect(expiry - start).toBe(24 * hour);
  });

  it("is created once, and replaces no artifact of another type", async () => {
    const task = await runningTask(stack);
    const s3Type = { ...body(), storageType: "s3" as const };
    await create(task, "x");
    await expect(create(task, "x")).rejects.toMatchObject({ code: "RequestConflict", statusCode: 409 });
    const again = task.worker.queue.createArtifact({ ...task.run, name: "x" }, s3Type);
    await expect(again).rejects.toMatchObject({ code: "RequestConflict" });
    await task.worker.queue.createArtifact({ ...task.run, name: "y" }, s3Type);
    await expect(create(task, "y")).rejects.toMatchObject({ code: "RequestConflict" });
    // One of several concurrent calls succeeds.
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => create(task, "z")));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("is not created, and no object is reserved, if either is refused", async () => {
    const task = await runningTask(stack);
    const name = `t/${task.taskId}/0/taken`;
    const taken = { projectId: "p", uploadId: slugid(), expires: inHours(1), proposedUploadMethods: {} };
    await stack.client.object.createUpload({ name }, taken);
    await expect(create(task, "taken")).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining(`An upload for object "${name}" already exists with another uploadId`),
    });
    await task.worker.queue.reportCompleted(task.run);
    const late = stack.client.queue.createArtifact({ ...task.run, name: "late" }, body());
    await expect(late).rejects.toMatchObject({ code: "RequestConflict" });
    expect(await stack.client.queue.listArtifacts(task.run)).toEqual({ artifacts: [] });
    const unreserved = { ...taken, uploadId: slugid() };
    await stack.client.object.createUpload({ name: `t/${task.taskId}/0/late` }, unreserved);
  });

  describe("is finished", () => {
    const finish = (client: Client, { run }: RunningTask, name: string, uploadId: string) =>
      client.queue.finishArtifact({ ...run, name }, { uploadId });

    it("after its upload, with its upload id, and by callers that may create it", async () => {
      const task = await runningTask(stack);
      const reply = await create(task, "x");
      const inputError = { code: "InputError", statusCode: 400 };
      await expect(finish(task.worker, task, "x", slugid())).rejects.toMatchObject({
        ...inputError,
        message: expect.stringContaining('is not that of artifact "x"'),
      });
      await expect(finish(task.worker, task, "x", reply.uploadId)).rejects.toMatchObject({
        ...inputError,
        message: expect.stringContaining('The upload of artifact "x" is not finished: call finishUpload'),
      });
      await upload(reply, "x");
      const missing = `queue:create-artifact:${task.taskId}/0`;
      await expect(finish(stack.limited([]), task, "x", reply.uploadId)).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(missing),
      });
      expect(await artifactEvents(task.taskId)).toEqual([]);
      // Also if the run has been resolved meanwhile.
      await task.worker.queue.reportCompleted(task.run);
      await finish(stack.client, task, "x", reply.uploadId);
      // A repeated call, with any upload id, only publishes the event again.
      await finish(stack.client, task, "x", slugid());
      expect(await artifactEvents(task.taskId)).toHaveLength(2);
    });

    it("only if it exists and is an object", async () => {
      const task = await runningTask(stack);
      const missing = finish(stack.client, task, "x", slugid());
      await expect(missing).rejects.toMatchObject({ code: "ResourceNotFound", statusCode: 404 });
      const noRun = stack.client.queue.finishArtifact(
        { taskId: task.taskId, runId: "7", name: "x" },
        { uploadId: slugid() },
      );
      await expect(noRun).rejects.toMatchObject({ code: "ResourceNotFound" });
      const url = "https://example.com/";
      await task.worker.queue.createArtifact(
        { ...task.run, name: "r" },
        { storageType: "reference", url, expires: inHours(1), contentType: "a/b" },
      );
      await expect(finish(stack.client, task, "r", slugid())).rejects.toMatchObject({
        code: "InputError",
        message: expect.stringContaining('Artifact "r" is of storage type reference, and needs no finishing'),
      });
    });
  });

  it("is reached through a link, and returns 410 if it has expired, 404 if its object is missing", async () => {
    const task = await runningTask(stack);
    const reply = await create(task, "private/x");
    await upload(reply, "linked");
    await task.worker.queue.finishArtifact({ ...task.run, name: "private/x" }, { uploadId: reply.uploadId });
    await task.worker.queue.createArtifact(
      { ...task.run, name: "public/link" },
      { storageType: "link", expires: inHours(1), artifact: "private/x" },
    );
    const at = { ...task.run, name: "public/link" };
    const { url } = await stack.client.queue.getArtifact(at);
    expect(await (await fetch(url)).text()).toBe("linked");
    // Each name along the chain requires its own scope.
    await expect(stack.limited([]).queue.getArtifact(at)).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("queue:get-artifact:private/x"),
    });
    await stack.database.db.run(sql`delete from objects where name = ${reply.name}`);
    await expect(stack.client.queue.getArtifact(at)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: expect.stringContaining(`There is no object "${reply.name}"`),
    });
    await stack.database.db.run(
      sql`update artifacts set expires = now() - interval '1 second' where task_id = ${task.taskId}`,
    );
    await expect(stack.client.queue.getArtifact(at)).rejects.toMatchObject({ code: "ResourceExpired" });
  });
});
