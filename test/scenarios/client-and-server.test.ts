// The typed client against a whole server: who it is taken for, what it may do, and the events that it hears.
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

/** The scopes that the server finds with these credentials, beside the anonymous ones. */
async function refusalOf(client: Client): Promise<unknown> {
  return client.queue.createTask({ taskId: slugid() }, taskDefinition()).then(
    () => "allowed",
    (error: unknown) => (error instanceof ClientError ? error.code : error),
  );
}
const creating = ["queue:create-task:*", "queue:scheduler-id:*"];
const expiry = (): number => Date.now() + 60_000;
const root = () => ({ ...stack.rootCredentials });

describe("temporary credentials", () => {
  test("may do what they were made for, and nothing else", async () => {
    const enough = await createTemporaryCredentials({
      credentials: root(),
      scopes: creating,
      expiry: expiry(),
    });
    expect(await refusalOf(stack.as(enough))).toBe("allowed");
    const other = await createTemporaryCredentials({ credentials: root(), scopes: ["x"], expiry: expiry() });
    expect(await refusalOf(stack.as(other))).toBe("InsufficientScopes");
  });

  test("may have a name of their own", async () => {
    const made = await createTemporaryCredentials({
      credentials: root(),
      scopes: creating,
      expiry: expiry(),
      clientId: "a-job",
    });
    expect(await refusalOf(stack.as(made))).toBe("allowed");
    // The name is signed: another one is refused.
    expect(await refusalOf(stack.as({ ...made, clientId: "another-job" }))).toBe("AuthenticationFailed");
  });

  test("end", async () => {
    const ended = await createTemporaryCredentials({
      credentials: root(),
      scopes: creating,
      start: Date.now() - 3_600_000,
      expiry: Date.now() - 600_000,
    });
    expect(await refusalOf(stack.as(ended))).toBe("AuthenticationFailed");
  });
});

test("authorizedScopes limit a client to them", async () => {
  const limited = (authorizedScopes: string[]) =>
    connect({ rootUrl: stack.rootUrl, credentials: root(), authorizedScopes, retries: 0 });
  expect(await refusalOf(limited(creating))).toBe("allowed");
  expect(await refusalOf(limited(["queue:status:*"]))).toBe("InsufficientScopes");
});

test("a signed URL opens what it names, to anybody, for a while", async () => {
  const taskId = await createTask(stack.client, { taskQueueId: "test/signed" });
  const claim = await claimOne(stack.client, "test/signed");
  const run = { taskId, runId: claim.runId };
  const worker = stack.as(claim.credentials);
  const name = "private/a b&c.txt";
  const artifact = await worker.queue.createArtifact(
    { ...run, name },
    { storageType: "s3", contentType: "text/plain", expires: new Date(expiry()).toISOString() },
  );
  if (!("putUrl" in artifact)) throw new Error("an upload was asked for");
  const put = await fetch(artifact.putUrl, {
    method: "PUT",
    body: "hush",
    headers: { "content-type": "text/plain" },
  });
  expect(put.status).toBe(200);
  await worker.queue.reportCompleted(run);

  const url = stack.client.queue.getLatestArtifact.url({ taskId, name });
  expect((await fetch(url)).status).toBe(403);
  expect(await (await fetch(await stack.client.buildSignedUrl(url))).text()).toBe("hush");
  const ended = await stack.client.buildSignedUrl(url, { expiresMs: -1_000_000 });
  expect((await fetch(ended)).status).toBe(401);
  const paged = stack.client.queue.listLatestArtifacts.url({ taskId }, { limit: 1 });
  expect(await (await fetch(await stack.client.buildSignedUrl(paged))).json()).toMatchObject({
    artifacts: [{ name }],
  });
});

describe("events", () => {
  test("are heard from the moment that listening resolves", async () => {
    const taskId = slugid();
    const bindings = [queueEvents.taskDefined({ taskId }), queueEvents.taskPending({ taskId })] as const;
    const events = await stack.client.events.listen(bindings);
    await stack.client.queue.createTask({ taskId }, taskDefinition());
    const heard = [];
    for await (const event of events) {
      heard.push(event);
      if (heard.length === 2) break;
    }
    expect(heard).toMatchObject([
      { exchange: "exchange/taskcluster-queue/v1/task-defined", payload: { status: { taskId } } },
      { exchange: "exchange/taskcluster-queue/v1/task-pending", payload: { status: { taskId }, runId: 0 } },
    ]);

    const again = await stack.client.events.listen(bindings, { from: heard[0]?.position });
    // Positions are opaque: another stream may call the same place by another name.
    const { position: _, ...second } = heard[1] ?? { position: "" };
    expect((await again.next()).value).toMatchObject(second);
    await again.return();
    const all = await stack.client.events.listen(bindings, { from: "start" });
    const { position: __, ...first } = heard[0] ?? { position: "" };
    expect((await all.next()).value).toMatchObject(first);
    await all.return();
  });

  test("a binding that makes no sense is refused in the server's words", async () => {
    const wrong = { exchange: "exchange/taskcluster-queue/v1/task-complete", routingKeyPattern: "#" };
    const listening = stack.client.events.listen([wrong]);
    await expect(listening).rejects.toThrow("did you mean exchange/taskcluster-queue/v1/task-completed?");
  });

  test("none is missed while the server is restarted", async () => {
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
