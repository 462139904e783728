// The worker of `taskyard up` is a process of its own: what happens to it does not reach the server, and it never outlives it.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createTask } from "../support/factories.ts";
import {
  killAll,
  preparedHome,
  processesOf,
  startUp,
  type OnCleanup,
  type Variables,
} from "../support/process.ts";
import { eventually } from "../support/until.ts";

const taskQueueId = "local/default";
const shell = (script: string) => ({
  taskQueueId,
  payload: { command: [["sh", "-c", script]], maxRunTime: 600 },
});

async function startUpWithWorker(onCleanup: OnCleanup, args: readonly string[] = [], env: Variables = {}) {
  const home = await preparedHome(onCleanup);
  const server = await startUp({ home, env }, args, onCleanup);
  const sleepers = () => processesOf(home).filter(({ commandLine }) => commandLine.startsWith("sleep 100"));
  const workerPid = (): number => {
    const found = processesOf(home).find(({ commandLine }) =>
      /^(?!\/bin\/sh).*worker-process\.js$/.test(commandLine),
    );
    return found?.pid ?? expect.fail("the worker has no process");
  };
  const runsOf = async (taskId: string) =>
    (await server.client.queue.status({ taskId })).status.runs.map(
      ({ state, reasonResolved }) => `${state}/${reasonResolved ?? "-"}`,
    );
  return { home, server, sleepers, workerPid, runsOf };
}

test("a worker that hangs or is killed neither slows nor ends the server, and is started again", async ({
  onTestFinished,
}) => {
  const secret = "a-secret-of-the-configuration-0123456789";
  const { server, sleepers, workerPid, runsOf } = await startUpWithWorker(onTestFinished, [], {
    TASKYARD_AUTH_SECRET: secret,
  });
  const taskId = await createTask(server.client, shell("[ $RUN_ID = 1 ] || { sleep 1001 & sleep 1002; }"));
  await eventually(() => expect(sleepers()).toHaveLength(2));
  const first = workerPid();
  // Every process of the same user can read these.
  const visible = ["environ", "cmdline"]
    .map((file) => readFileSync(`/proc/${first}/${file}`, "latin1"))
    .join();
  expect(visible).not.toContain(secret);
  expect(visible).not.toContain(server.credentials.accessToken);
  expect(visible).not.toMatch(/TASKYARD_|TASKCLUSTER_/);

  process.kill(first, "SIGSTOP");
  const start = performance.now();
  for (let i = 0; i < 20; i++) await server.client.queue.ping();
  expect(performance.now() - start).toBeLessThan(2000);

  killAll([first]);
  await server.waitForOutput(/the worker ended unexpectedly; restarting it/);
  await server.waitForOutput(/the worker was restarted/);
  expect(workerPid()).not.toBe(first);
  await eventually(() => expect(sleepers()).toEqual([]));
  await eventually(async () =>
    expect(await runsOf(taskId)).toEqual(["exception/worker-shutdown", "completed/completed"]),
  );
  server.signal("SIGTERM");
  expect(await server.exitStatus(), server.output()).toBe(0);
});

// Concurrently: these mostly wait for limits to pass.
test.concurrent("`taskyard up` ends a worker that does not stop, with its tasks, and reports it", async ({
  onTestFinished,
}) => {
  const { home, server, sleepers, workerPid } = await startUpWithWorker(onTestFinished, [
    "--shutdown-limit",
    "0ms",
  ]);
  await createTask(server.client, shell("sleep 1001"));
  await eventually(() => expect(sleepers()).toHaveLength(1));
  process.kill(workerPid(), "SIGSTOP");
  server.signal("SIGTERM");
  expect(await server.exitStatus(), server.output()).toBe(1);
  expect(server.output()).toContain("the worker did not stop in time");
  await eventually(() => expect(processesOf(home)).toEqual([]));
});

test.concurrent("a second signal ends `taskyard up` immediately, and its processes follow", async ({
  onTestFinished,
}) => {
  const { home, server, sleepers, workerPid } = await startUpWithWorker(onTestFinished, [
    "--shutdown-limit",
    "0ms",
  ]);
  await createTask(server.client, shell("sleep 1001"));
  await eventually(() => expect(sleepers()).toHaveLength(1));
  process.kill(workerPid(), "SIGSTOP");
  server.signal("SIGTERM");
  await server.waitForOutput(/stopping the worker/);
  server.signal("SIGINT");
  expect(await server.exitStatus(1000), server.output()).toBe(130);
  await eventually(() => expect(processesOf(home)).toEqual([]));
});

test.concurrent("nothing is left of a killed `taskyard up`, and its next start runs the interrupted tasks again", async ({
  onTestFinished,
}) => {
  const { home, server, sleepers, workerPid } = await startUpWithWorker(onTestFinished);
  const before = workerPid();
  const taskId = await createTask(
    server.client,
    shell("[ $RUN_ID = 1 ] || { setsid sleep 1001 & sleep 1002; }"),
  );
  await eventually(() => expect(sleepers()).toHaveLength(2));
  server.signal("SIGKILL");
  expect(await server.exitStatus()).toBe("SIGKILL");

  const next = await startUp({ home }, [], onTestFinished);
  expect(sleepers()).toEqual([]);
  expect(workerPid()).not.toBe(before);
  await eventually(async () => {
    const { status } = await next.client.queue.status({ taskId });
    expect(status.runs).toMatchObject([
      { state: "exception", reasonResolved: "worker-shutdown" },
      { state: "completed", reasonCreated: "retry" },
    ]);
  });
  next.signal("SIGTERM");
  expect(await next.exitStatus(), next.output()).toBe(0);
});
