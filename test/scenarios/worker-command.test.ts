// `taskyard worker` as its operators start and end it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { createTask } from "../support/factories.ts";
import { startTaskyard, temporaryHome, type Variables } from "../support/process.ts";
import { sharedStack, type Stack } from "../support/stack.ts";
import { eventually } from "../support/until.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

async function startWorker(args: readonly string[], env: Variables = {}) {
  const home = await temporaryHome();
  const worker = startTaskyard(["worker", ...args], { home, env: { ...stack.env, ...env } });
  return { ...worker, home };
}
const newQueue = () =>
  `test/worker-${slugid()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "x")}`;

describe("a worker that the server refuses exits with 1 and a short message", () => {
  test("for wrong credentials", async () => {
    const worker = await startWorker([], { TASKCLUSTER_ACCESS_TOKEN: "wrong" });
    expect(await worker.exitStatus()).toBe(1);
    expect(worker.output()).toMatch(
      /error: http\S+ does not accept the credentials of this worker: .*[^.]\. Check TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN\.\n$/,
    );
    expect(worker.output().length).toBeLessThan(3000);
  });

  test("for no credentials, with the scopes that it needs", async () => {
    const worker = await startWorker(["--task-queue", "test/queue", "--worker-id", "mine"], {
      TASKCLUSTER_CLIENT_ID: "",
      TASKCLUSTER_ACCESS_TOKEN: "",
    });
    expect(await worker.exitStatus()).toBe(1);
    expect(worker.output()).toMatch(
      /error: http\S+ does not let these credentials claim tasks of test\/queue as local\/mine\. They need the scopes queue:claim-work:test\/queue and queue:worker-id:local\/mine\.\n$/,
    );
    expect(worker.output().length).toBeLessThan(3000);
  });
});

test("SIGUSR2 drains a worker: it claims no more tasks, and exits with 0 when its own have ended", async () => {
  const taskQueueId = newQueue();
  const worker = await startWorker(["--task-queue", taskQueueId, "--capacity", "1"]);
  const go = join(worker.home, "go");
  const payload = { command: [["sh", "-c", `until [ -e ${go} ]; do sleep 0.05; done`]], maxRunTime: 600 };
  const first = await createTask(stack.client, { taskQueueId, payload });
  const stateOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.state;
  await eventually(async () => expect(await stateOf(first)).toBe("running"));

  worker.signal("SIGUSR2");
  await worker.waitForOutput(/worker is stopping/);
  const later = await createTask(stack.client, { taskQueueId, payload });
  await writeFile(go, "");
  expect(await worker.exitStatus(), worker.output()).toBe(0);
  expect([await stateOf(first), await stateOf(later)]).toEqual(["completed", "pending"]);
});
