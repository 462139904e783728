// The typed client with a whole server: authentication, scopes and events.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ClientError,
  connect,
  createTemporaryCredentials,
  queueEvents,
  type Client,
} from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { testDatabase } from "../support/db.ts";
import { claimOne, createTask, taskDefinition } from "../support/factories.ts";
import { testStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => (stack = await testStack()));
afterAll(() => stack.stop());

/** Creates a task. Returns `allowed`, or the error code. */
async function tryCreateTask(client: Client): Promise<unknown> {
  return client.queue.createTask({ taskId: slugid() }, taskDefinition()).then(
    () => "allowed",
    (error: unknown) => (error instanceof ClientError ? error.code : error),
  );
}
const creationScopes = ["queue:create-task:*", "queue:scheduler-id:*"];
const expiry = (): number => Date.now() + 60_000;
const root = () => ({ ...stack.rootCredentials });

describe("temporary credentials", () => {
  test("have their scopes, and no others", async () => {
    const enough = await stack.client.createTemporaryCredentials({
      scopes: creationScopes,
      expiry: expiry(),
    });
    expect(await tryCreateTask(stack.as(enough))).toBe("allowed");
    const other = await createTemporaryCredentials({ credentials: root(), scopes: ["x"], expiry: expiry() });
    expect(await tryCreateTask(stack.as(other))).toBe("InsufficientScopes");
  });

  test("may have a separate client id", async () => {
    const made = await createTemporaryCredentials({
      credentials: root(),
      scopes: creationScopes,
      expiry: expiry(),
      clientId: "a-job",
    });
    expect(await tryCreateTask(stack.as(made))).toBe("allowed");
    // The client id is signed: another one is refused.
    expect(await tryCreateTask(stack.as({ ...made, clientId: "another-job" }))).toBe("AuthenticationFailed");
  });

  test("expire", async () => {
    const expired = await createTemporaryCredentials({
      credentials: root(),
      scopes: creationScopes,
      start: Date.now() - 3_600_000,
      expiry: Date.now() - 600_000,
    });
    expect(await tryCreateTask(stack.as(expired))).toBe("AuthenticationFailed");
  });
});

test("authorizedScopes restrict what a client may do", async () => {
  const limited = (authorizedScopes: string[]) =>
    connect({ rootUrl: stack.rootUrl, credentials: root(), authorizedScopes, retries: 0 });
  expect(await tryCreateTask(limited(creationScopes))).toBe("allowed");
  expect(await tryCreateTask(limited(["queue:status:*"]))).toBe("InsufficientScopes");
});

test("a signed URL gives access to anyone, for a limited time", async () => {
  const taskId = await createTask(stack.client, { taskQueueId: "test/signed" });
  const claim = await claimOne(stack.client, "test/signed");
  const run = { taskId, runId: claim.runId };
  const worker = stack.as(claim.credentials);
  const name = "private/a b&c.txt";
  const artifact = await worker.queue.createArtifact(
    { ...run, name },
    { storageType: "s3", contentType: "text/plain", expires: new Date(expiry()).toISOString() },
  );
  if (!("putUrl" in artifact)) throw new Error("no URL to upload to");
  const put = await fetch(artifact.putUrl, {
    method: "PUT",
    body: "secret",
    headers: { "content-type": "text/plain" },
  });
  expect(put.status).toBe(200);
  await worker.queue.reportCompleted(run);

  const url = stack.client.queue.getLatestArtifact.url({ taskId, name });
  expect((await fetch(url)).status).toBe(403);
  expect(await (await fetch(await stack.client.buildSignedUrl(url))).text()).toBe("secret");
  const scopes = ["queue:get-artifact:private/*"];
  const temporary = await stack.client.createTemporaryCredentials({ scopes, expiry: expiry() });
  expect(await (await fetch(await stack.as(temporary).buildSignedUrl(url))).text()).toBe("secret");
  const expired = await stack.client.buildSignedUrl(url, { expiresMs: -1_000_000 });
  expect((await fetch(expired)).status).toBe(401);
  const paged = stack.client.queue.listLatestArtifacts.url({ taskId }, { limit: 1 });
  expect(await (await fetch(await stack.client.buildSignedUrl(paged))).json()).toMatchObject({
    artifacts: [{ name }],
  });
});

describe("events", () => {
  test("are received from the moment that listen resolves", async () => {
    const taskId = slugid();
    const bindings = [queueEvents.taskDefined({ taskId }), queueEvents.taskPending({ taskId })] as const;
    const events = await stack.client.events.listen(bindings);
    await stack.client.queue.createTask({ taskId }, taskDefinition());
    const received = [];
    for await (const event of events) {
      received.push(event);
      if (received.length === 2) break;
    }
    expect(received).toMatchObject([
      { exchange: "exchange/taskcluster-queue/v1/task-defined", payload: { status: { taskId } } },
      { exchange: "exchange/taskcluster-queue/v1/task-pending", payload: { status: { taskId }, runId: 0 } },
    ]);

    const again = await stack.client.events.listen(bindings, { from: received[0]?.position });
    // Positions are opaque: in another stream an event may have another one.
    const { position: _, ...second } = received[1] ?? { position: "" };
    expect((await again.next()).value).toMatchObject(second);
    await again.return();
    const all = await stack.client.events.listen(bindings, { from: "start" });
    const { position: __, ...first } = received[0] ?? { position: "" };
    expect((await all.next()).value).toMatchObject(first);
    await all.return();
  });

  test("an invalid binding is refused with the message of the server", async () => {
    const wrong = { exchange: "exchange/taskcluster-queue/v1/task-complete", routingKeyPattern: "#" };
    const listening = stack.client.events.listen([wrong]);
    await expect(listening).rejects.toThrow("did you mean exchange/taskcluster-queue/v1/task-completed?");
  });

  test("are not missed while the server restarts", async () => {
    const database = await testDatabase();
    const first = await testStack({ database });
    const port = Number(new URL(first.rootUrl).port);
    const listener = connect({ rootUrl: first.rootUrl });
    const events = await listener.events.listen([queueEvents.taskDefined()]);
    const before = await createTask(first.client);
    expect((await events.next()).value?.payload.status.taskId).toBe(before);
    const next = events.next();
    await first.stop();

    const second = await testStack({ database, config: { server: { port } } });
    const after = await createTask(second.client);
    expect((await next).value?.payload.status.taskId).toBe(after);
    await events.return();
    await second.stop();
    await database.drop();
  });
});
