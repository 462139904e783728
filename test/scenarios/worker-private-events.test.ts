// A worker of a closed server: with the scope it detects a cancellation through the stream, without
// the scope by polling, and it warns the operator.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Client } from "../../src/client/index.ts";
import type { WorkerOptions } from "../../src/worker/main.ts";
import { createTask } from "../support/factories.ts";
import { testStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";
import { selfPool } from "../support/worker-pool.ts";
import { startTestWorker } from "../support/worker.ts";
import type { TestWorker } from "../support/worker.ts";

const taskQueueId = "test/queue";
const claimScopes = [`queue:claim-work:${taskQueueId}`, "queue:worker-id:*", "queue:status:*"];
const refused = "warn: the server refuses the stream of events; polling for canceled tasks instead";

let stack: Stack;
let worker: TestWorker;
beforeAll(async () => {
  stack = await testStack({ config: { access: "closed" } });
});
afterEach(() => worker.end());
afterAll(() => stack.stop());

/** Runs a task that never ends by itself, cancels it, and waits until the worker has dropped it. */
async function cancelRunningTask(client: Client, options: Partial<WorkerOptions>): Promise<void> {
  worker = await startTestWorker(stack.rootUrl, { client, taskQueueId, ...options });
  const taskId = await createTask(stack.client, {
    payload: { command: [["sleep", "1000"]], maxRunTime: 600 },
  });
  await eventually(async () => {
    const found = await stack.client.queue.latestArtifact({ taskId, name: "public/logs/live.log" });
    expect(found).toHaveProperty("url");
  });
  await stack.client.queue.cancelTask({ taskId });
  await eventually(() => expect(worker.logged).toContain("debug: stage done"));
}

test("a worker with the scope is notified by the stream", async () => {
  // Polling would take longer than the test may.
  await cancelRunningTask(stack.limited([...claimScopes, "events:listen"]), {
    cancelPollInterval: 3_600_000,
  });
  expect(worker.logged).not.toContain(refused);
});

test("a worker without the scope warns once, and polls", async () => {
  await cancelRunningTask(stack.limited(claimScopes), { cancelPollInterval: 50 });
  expect(worker.logged.filter((line) => line === refused)).toHaveLength(1);
});

test("a worker that has registered has the scopes of the role of its pool", async () => {
  const { register } = await selfPool(stack, taskQueueId);
  await stack.client.auth.createRole(
    { roleId: `worker-pool:${taskQueueId}` },
    { description: "", scopes: ["queue:status:*", "events:listen"] },
  );
  const { credentials } = await register("w");
  await cancelRunningTask(stack.as(credentials), {
    workerGroup: "g",
    workerId: "w",
    cancelPollInterval: 3_600_000,
  });
  expect(worker.logged).not.toContain(refused);
});
