// Taskcluster's JavaScript client calls our server. No code of ours runs in the client.
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiReference } from "../../src/api/references/api-reference.ts";
import { taskDefinition } from "../support/factories.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { peer, type PeerCredentials, type PeerError, type PeerOptions } from "./peer-client.ts";

const QUEUE = "test/queue";
const worker = { workerGroup: "group", workerId: "worker", tasks: 1 };
const hours = 3_600_000;

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

const options = (credentials?: PeerCredentials, authorizedScopes?: readonly string[]): PeerOptions => ({
  rootUrl: stack.rootUrl,
  credentials: credentials ?? {},
  retries: 0,
  ...(authorizedScopes && { authorizedScopes }),
});
const queueAs = (credentials?: PeerCredentials, authorizedScopes?: readonly string[]) =>
  new peer.Queue(options(credentials, authorizedScopes));
const authAs = (credentials?: PeerCredentials, authorizedScopes?: readonly string[]) =>
  new peer.Auth(options(credentials, authorizedScopes));
const root = () => queueAs(stack.rootCredentials);

/** Creates and claims a task. `queue` has the credentials of its worker. */
async function claimedTask(overrides: Parameters<typeof taskDefinition>[0] = {}) {
  const taskId = peer.slugid();
  await root().createTask(taskId, taskDefinition({ taskQueueId: QUEUE, ...overrides }));
  const { tasks } = await root().claimWork(QUEUE, worker);
  const [claim] = tasks;
  if (claim?.status.taskId !== taskId) throw new Error(`claimed ${claim?.status.taskId}, wanted ${taskId}`);
  return { taskId, claim, queue: queueAs(claim.credentials) };
}

/** Returns the error of a call that must fail. */
const errorOf = (call: Promise<unknown>): Promise<PeerError> =>
  call.then(
    () => expect.unreachable("the call was not refused"),
    (err: unknown) => err as PeerError,
  );

async function download(taskId: string, name: string, queue = root()): Promise<string> {
  const chunks: Buffer[] = [];
  const streamFactory = () => {
    chunks.length = 0;
    const write = (chunk: Buffer, _encoding: unknown, done: () => void): void => {
      chunks.push(chunk);
      done();
    };
    return Promise.resolve(new Writable({ write }));
  };
  const contentType = await peer.downloadArtifact({ taskId, name, queue, streamFactory });
  return `${contentType}: ${Buffer.concat(chunks).toString()}`;
}

describe("taskcluster-client", () => {
  it("creates a task, again with the same definition, and reads it back", async () => {
    const taskId = peer.slugid();
    const definition = taskDefinition({ taskQueueId: "test/read", tags: { kind: "compat" } });
    const created = await root().createTask(taskId, definition);
    expect(created.status).toMatchObject({
      taskId,
      state: "pending",
      taskQueueId: "test/read",
      retriesLeft: 5,
    });
    expect(await root().createTask(taskId, definition)).toEqual(created);
    expect(await root().status(taskId)).toEqual(created);
    expect(await root().task(taskId)).toMatchObject({ ...definition, schedulerId: "-", priority: "lowest" });

    const conflict = await errorOf(root().createTask(taskId, { ...definition, retries: 1 }));
    expect(conflict).toMatchObject({ code: "RequestConflict", statusCode: 409 });
  });

  it("reads compressed replies", async () => {
    const taskId = peer.slugid();
    const payload = { command: ["x".repeat(300_000)], é: "ü".repeat(2_000) };
    const definition = taskDefinition({ taskQueueId: "test/compressed", payload });
    await root().createTask(taskId, definition);
    expect((await root().task(taskId)).payload).toEqual(payload);
    const { tasks } = await root().claimWork("test/compressed", worker);
    expect(tasks[0]?.task.payload).toEqual(payload);
    const refusal = await errorOf(root().createTask(taskId, { ...definition, retries: 1 }));
    expect(refusal.body.requestInfo).toMatchObject({ payload: "(OMITTED)" });
    // The encodings that the client accepts.
    const headers = { "accept-encoding": "gzip, deflate, br" };
    const reply = await fetch(queueAs().buildUrl(root().ping), { headers });
    expect(reply.headers.has("content-encoding")).toBe(false);
    const signed = root().buildSignedUrl(root().task, taskId);
    const task = await fetch(signed, { headers });
    expect(task.headers.get("content-encoding")).toBe("gzip");
    expect(await task.json()).toMatchObject({ payload });
  });

  it("lists a group page by page", async () => {
    const taskGroupId = peer.slugid();
    const ids = [taskGroupId, peer.slugid(), peer.slugid()];
    for (const id of ids)
      await root().createTask(id, taskDefinition({ taskQueueId: "test/group", taskGroupId }));
    const listed: string[] = [];
    let continuationToken: string | undefined;
    do {
      const page = await root().listTaskGroup(taskGroupId, {
        limit: 1,
        ...(continuationToken && { continuationToken }),
      });
      listed.push(...page.tasks.map(({ status }) => status.taskId));
      ({ continuationToken } = page);
    } while (continuationToken !== undefined && listed.length < 10);
    expect(listed.toSorted()).toEqual(ids.toSorted());
  });

  it("seals and cancels a group, changes priorities, and reads several tasks with one call", async () => {
    // This version of the client is older than some of these methods.
    const reference = await fetch(`${stack.rootUrl}/references/queue/v1/api.json`);
    const Queue = peer.createClient((await reference.json()) as ApiReference, "Queue");
    const queue = new Queue(options(stack.rootCredentials));
    const taskGroupId = peer.slugid();
    const ids = [taskGroupId, peer.slugid()].toSorted();
    for (const id of ids)
      await queue.createTask(id, taskDefinition({ taskQueueId: "test/groups", taskGroupId }));
    const dependent = peer.slugid();
    await queue.createTask(dependent, taskDefinition({ dependencies: [taskGroupId] }));
    expect(await queue.listDependentTasks(taskGroupId)).toMatchObject({
      taskId: taskGroupId,
      tasks: [{ status: { taskId: dependent, state: "unscheduled" } }],
    });

    const changed = await queue.changeTaskPriority(taskGroupId, { newPriority: "high" });
    expect(changed.status).toMatchObject({ taskId: taskGroupId, priority: "high" });
    expect(await queue.changeTaskGroupPriority(taskGroupId, { newPriority: "low" })).toEqual({
      taskGroupId,
      schedulerId: "-",
      newPriority: "low",
      tasksAffected: 2,
      taskIds: ids,
    });
    const { tasks } = await queue.tasks({ taskIds: ids });
    expect(tasks.map(({ taskId, task }) => [taskId, task.priority])).toEqual(ids.map((id) => [id, "low"]));

    const early = await errorOf(queue.cancelTaskGroup(taskGroupId));
    expect(early).toMatchObject({ code: "RequestConflict", statusCode: 409 });
    const group = await queue.sealTaskGroup(taskGroupId);
    expect(await queue.getTaskGroup(taskGroupId)).toEqual(group);
    const canceled = await queue.cancelTaskGroup(taskGroupId);
    expect(canceled).toMatchObject({ taskGroupId, taskGroupSize: 2, cancelledCount: 2 });

    const listed: unknown[] = [];
    let continuationToken: string | undefined;
    do {
      const query = { limit: 1, ...(continuationToken && { continuationToken }) };
      const page = await queue.statuses({ taskIds: ids }, query);
      listed.push(...page.statuses.map(({ status }) => [status.taskId, status.state]));
      ({ continuationToken } = page);
    } while (continuationToken !== undefined && listed.length < 10);
    expect(listed).toEqual(ids.map((id) => [id, "exception"]));
  });

  it("claims, reclaims and completes a task with the credentials of the claim", async () => {
    const { taskId, claim, queue } = await claimedTask();
    expect(claim).toMatchObject({ runId: 0, workerGroup: "group", task: { taskQueueId: QUEUE } });
    const again = await queue.reclaimTask(taskId, 0);
    expect(Date.parse(again.takenUntil)).toBeGreaterThanOrEqual(Date.parse(claim.takenUntil));

    const done = await queueAs(again.credentials).reportCompleted(taskId, 0);
    expect(done.status).toMatchObject({
      state: "completed",
      runs: [{ state: "completed", reasonResolved: "completed" }],
    });
    const late = await errorOf(queueAs(again.credentials).reportFailed(taskId, 0));
    expect(late).toMatchObject({ code: "RequestConflict", statusCode: 409 });
  });

  it("uploads an artifact, lists it and downloads it", async () => {
    const { taskId, queue } = await claimedTask();
    const expires = new Date(Date.now() + hours).toISOString();
    const name = "public/deep/report.txt";
    const created = await queue.createArtifact(taskId, 0, name, {
      storageType: "s3",
      expires,
      contentType: "text/plain",
    });
    if (!("putUrl" in created)) throw new Error(`no URL to upload to: ${JSON.stringify(created)}`);
    const put = await fetch(created.putUrl, {
      method: "PUT",
      body: "all well",
      headers: { "content-type": "text/plain" },
    });
    expect(put.status).toBe(200);
    await queue.createArtifact(taskId, 0, "public/gone", {
      storageType: "error",
      expires,
      reason: "file-missing-on-worker",
      message: "there was no such file",
    });
    await queue.reportCompleted(taskId, 0);

    const { artifacts } = await root().listArtifacts(taskId, 0);
    expect(artifacts).toMatchObject([
      { name, storageType: "s3", contentType: "text/plain" },
      { name: "public/gone", storageType: "error" },
    ]);
    expect(await root().listLatestArtifacts(taskId)).toEqual({ artifacts });
    expect(await queueAs().getArtifact(taskId, 0, name)).toMatchObject({
      storageType: "s3",
      url: expect.stringMatching(/^http/),
    });
    expect(await download(taskId, name)).toBe("text/plain: all well");
    await expect(download(taskId, "public/gone")).rejects.toThrow("there was no such file");
  });

  it("signs the URL of a private artifact, which then needs no credentials", async () => {
    const { taskId, queue } = await claimedTask();
    const expires = new Date(Date.now() + hours).toISOString();
    const url = `${stack.rootUrl}/__version__`;
    const name = "private/link";
    await queue.createArtifact(taskId, 0, name, {
      storageType: "reference",
      expires,
      contentType: "application/json",
      url,
    });
    await queue.reportCompleted(taskId, 0);

    const reader = root();
    const signed = reader.buildSignedUrl(reader.getArtifact, taskId, 0, name, { expiration: 60 });
    const reply = await fetch(signed, { redirect: "manual" });
    expect([reply.status, reply.headers.get("location")]).toEqual([303, url]);
    const unsigned = await fetch(reader.buildUrl(reader.getArtifact, taskId, 0, name), {
      redirect: "manual",
    });
    expect(unsigned.status).toBe(403);
    const forged = await fetch(signed.replace(taskId, peer.slugid()), { redirect: "manual" });
    expect(forged.status).toBe(401);
  });

  it("works with temporary credentials, named and unnamed", async () => {
    const scopes = ["queue:status:*", "auth:current-scopes"];
    const [expiry, credentials] = [peer.fromNow("1 hour"), stack.rootCredentials];
    const taskId = peer.slugid();
    await root().createTask(taskId, taskDefinition({ taskQueueId: "test/temporary" }));
    for (const name of [undefined, "compat/user"]) {
      const temporary = peer.createTemporaryCredentials({
        ...(name && { clientId: name }),
        expiry,
        scopes,
        credentials,
      });
      expect(temporary.clientId).toBe(name ?? credentials.clientId);
      expect((await queueAs(temporary).status(taskId)).status.taskId).toBe(taskId);
      expect((await authAs(temporary).currentScopes()).scopes).toEqual(expect.arrayContaining(scopes));
      expect(await errorOf(queueAs(temporary).cancelTask(taskId))).toMatchObject({
        code: "InsufficientScopes",
        statusCode: 403,
      });
    }
  });

  it("is refused with temporary credentials that are forged or expired", async () => {
    const credentials = stack.rootCredentials;
    const temporary = peer.createTemporaryCredentials({
      expiry: peer.fromNow("1 hour"),
      scopes: ["auth:current-scopes"],
      credentials,
    });
    const certificate = temporary.certificate.replace("auth:current-scopes", "*");
    const forged = await errorOf(authAs({ ...temporary, certificate }).currentScopes());
    expect(forged).toMatchObject({ code: "AuthenticationFailed", statusCode: 401 });
    expect(forged.message).toContain("ext.certificate.signature is not valid");

    const expired = peer.createTemporaryCredentials({
      expiry: peer.fromNow("-10 minutes"),
      scopes: ["auth:current-scopes"],
      credentials,
    });
    expect((await errorOf(authAs(expired).currentScopes())).message).toContain(
      "ext.certificate.expiry < now",
    );
  });

  it("limits its scopes with authorizedScopes", async () => {
    const { scopes } = await authAs(stack.rootCredentials, [
      "queue:create-task:*",
      "auth:current-scopes",
    ]).currentScopes();
    expect(scopes).toContain("queue:create-task:*");
    expect(scopes).not.toContain("*");
    const narrow = queueAs(stack.rootCredentials, ["queue:status:*"]);
    const refusal = await errorOf(narrow.claimWork(QUEUE, worker));
    expect(refusal).toMatchObject({
      code: "InsufficientScopes",
      statusCode: 403,
      body: { requestInfo: { method: "claimWork" } },
    });
    expect(refusal.message).toContain("queue:worker-id:group/worker");
  });

  it("gets the messages of Taskcluster when it signs with a wrong key", async () => {
    const wrong = { ...stack.rootCredentials, accessToken: "no-such-token-0123456789" };
    expect(await errorOf(authAs(wrong).currentScopes())).toMatchObject({
      code: "AuthenticationFailed",
      statusCode: 401,
    });
    const nobody = { clientId: "nobody/at/all", accessToken: "no-such-token-0123456789" };
    expect((await errorOf(authAs(nobody).currentScopes())).message).toContain(
      "Client with clientId 'nobody/at/all' not found",
    );
  });

  it("reports information about credentials", async () => {
    const information = await peer.credentialInformation(stack.rootUrl, stack.rootCredentials);
    expect(information).toMatchObject({
      clientId: stack.rootCredentials.clientId,
      type: "permanent",
      active: true,
    });
    expect(information.scopes).toContain("*");
  });

  it("can be created from the reference that the server publishes", async () => {
    const reply = await fetch(`${stack.rootUrl}/references/queue/v1/api.json`);
    const Queue = peer.createClient((await reply.json()) as ApiReference, "Queue");
    const taskId = peer.slugid();
    const queue = new Queue(options(stack.rootCredentials));
    await queue.createTask(taskId, taskDefinition({ taskQueueId: "test/reference" }));
    expect((await queue.cancelTask(taskId)).status).toMatchObject({
      state: "exception",
      runs: [{ reasonResolved: "canceled" }],
    });
  });
});
