import { afterAll, beforeAll, expect, test } from "vitest";
import { claimOne, createTask } from "../../test/support/factories.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

test("a task is created, claimed and completed", async () => {
  const taskId = await createTask(stack.client);
  const claim = await claimOne(stack.client);
  expect(claim.status.taskId).toBe(taskId);
  const worker = stack.as(claim.credentials);
  const { status } = await worker.queue.reportCompleted({ taskId, runId: "0" });
  expect(status).toMatchObject({ state: "completed", runs: [{ state: "completed", workerId: "worker" }] });
});

test("the root serves the version and the metrics", async () => {
  const version = await fetch(`${stack.rootUrl}/__version__`);
  expect(await version.json()).toMatchObject({ version: "0.1.0" });
  const metrics = await fetch(`${stack.rootUrl}/metrics`);
  expect(await metrics.text()).toContain(
    'http_requests_total{service="queue",name="createTask",method="PUT",status="200"}',
  );
});
