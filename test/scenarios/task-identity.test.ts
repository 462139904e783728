// A task on a worker that proves its identity to another system, through a proxy that signs with the task's credentials.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Credentials } from "../../src/client/index.ts";
import { createTask } from "../support/factories.ts";
import { fastFetch } from "../support/fast-fetch.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { taskProxy, type TaskProxy } from "../support/task-proxy.ts";
import { eventually } from "../support/until.ts";
import { startTestWorker, type TestWorker } from "../support/worker.ts";

const taskQueueId = "test/identity";
let stack: Stack;
let worker: TestWorker;
/** The credentials of the last task that the worker claimed. */
let ofTask: Credentials | undefined;
let proxy: TaskProxy;
beforeAll(async () => {
  stack = await sharedStack();
  proxy = await taskProxy(stack.rootUrl, async () => {
    if (!ofTask) throw new Error("no task was claimed");
    return ofTask;
  });
  const client = connect({
    rootUrl: stack.rootUrl,
    credentials: stack.rootCredentials,
    async fetch(url, init) {
      const reply = await fastFetch(url, init);
      if (!url.includes("/claim-work/")) return reply;
      const text = await reply.text();
      const { tasks } = JSON.parse(text) as { tasks: readonly { credentials: Credentials }[] };
      ofTask = tasks[0]?.credentials ?? ofTask;
      return { ...reply, text: async () => text };
    },
  });
  worker = await startTestWorker(stack.rootUrl, { client, taskQueueId });
});
afterAll(async () => {
  await worker.end();
  proxy.close();
});

test("a task fetches a token by curl and hands it to a system that verifies it", async () => {
  const audience = "https://vault.example.com/a?b";
  const url = `${proxy.url}/api/identity/v1/oidc-token/${encodeURIComponent(audience)}`;
  const taskId = await createTask(stack.client, {
    taskQueueId,
    projectId: "org/app",
    scopes: [`auth:oidc-token:${audience}`],
    payload: {
      command: [["sh", "-c", `curl -fsS '${url}' > token.json`]],
      maxRunTime: 60,
      artifacts: [{ type: "file", path: "token.json", name: "public/token.json" }],
    },
  });
  await eventually(async () => {
    const { status } = await stack.client.queue.status({ taskId });
    expect(status.state).toBe("completed");
  });
  const signed = await stack.client.buildSignedUrl(
    stack.client.queue.getLatestArtifact.url({ taskId, name: "public/token.json" }),
  );
  const { token } = (await (await fetch(signed)).json()) as { token: string };
  const keys = createRemoteJWKSet(new URL(`${stack.rootUrl}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, keys, { issuer: stack.rootUrl, audience });
  expect(payload).toMatchObject({
    sub: "project:org/app:scheduler:-:queue:test/identity",
    task_id: taskId,
    run_id: "0",
    worker_id: "test-worker",
  });
});
