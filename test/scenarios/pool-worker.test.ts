// `taskyard worker --pool`: a worker that registers with a worker pool, from its registration to its end.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import type { Credentials } from "../../src/client/index.ts";
import { capturedIo, runCli } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { httpProxy, type HttpProxy } from "../support/http-proxy.ts";
import { startTaskyard, temporaryHome } from "../support/process.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { makeTemporaryFolder } from "../support/temporary-folder.ts";
import { taskProxy } from "../support/task-proxy.ts";
import { eventually } from "../support/until.ts";
import { newSecret, selfPool } from "../support/worker-pool.ts";
import { sharedFolder } from "../support/worker.ts";

let stack: Stack;
let proxy: HttpProxy;
beforeAll(async () => {
  // Without loops, since a busy machine may take longer than the credentials of a test are valid.
  stack = await testStack({ consumers: true, manualLoops: true });
  proxy = await httpProxy(stack.rootUrl);
});
afterAll(async () => {
  await proxy.close();
  await stack.stop();
});

async function writeSecret(folder: string, secret: string): Promise<string> {
  const file = join(folder, "pool-secret");
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

/** Starts a worker of a new pool. */
async function startPoolWorker(pool: string, { config = {}, rootUrl = stack.rootUrl } = {}) {
  const home = await temporaryHome();
  const { secret } = await selfPool(stack, pool, config);
  const secretFile = await writeSecret(home, secret);
  const id = ["--worker-group", "g", "--worker-id", "w"];
  const polling = ["--terminate-poll-interval", "200ms"];
  const worker = startTaskyard(["worker", "--pool", pool, "--secret-file", secretFile, ...id, ...polling], {
    home,
    env: { TASKCLUSTER_ROOT_URL: rootUrl },
  });
  return { ...worker, home, secret, secretFile };
}

const workerOf = (workerPoolId: string) => ({ workerPoolId, workerGroup: "g", workerId: "w" });
const runsOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status.runs;
async function contentOf(taskId: string, name: string): Promise<string> {
  const url = await stack.client.buildSignedUrl(stack.client.queue.getLatestArtifact.url({ taskId, name }));
  return (await fetch(url)).text();
}

test("a worker renews its credentials while it runs a task, also if replies are lost, and ends with its pool", async () => {
  const pool = "test/renewal";
  const config = {
    // Renewed after four seconds. On a busy machine, a shorter time ends before the worker has renewed them.
    lifecycle: { reregistrationTimeout: 6 },
    workerConfig: { taskyard: { capacity: 1, maxTaskRunTime: "1h" }, genericWorker: { config: { idle: 1 } } },
  };
  const firstLost = proxy.loseReply("/worker/register");
  const worker = await startPoolWorker(pool, { config, rootUrl: proxy.rootUrl });
  const folder = await sharedFolder();
  const go = join(folder, "go");
  const script = `env; cat ${worker.secretFile}; until [ -e ${go} ]; do sleep 0.05; done`;
  const payload = { command: [["sh", "-c", script]], maxRunTime: 600 };
  const taskId = await createTask(stack.client, { taskQueueId: pool, payload });

  await worker.waitForOutput(/could not register with the worker pool; trying again/);
  await firstLost;
  await eventually(async () => expect(await runsOf(taskId)).toMatchObject([{ state: "running" }]));
  expect(worker.output()).toMatch(/"members":\["genericWorker\.config\.idle"\],"msg":"members of the pool's/);
  expect(worker.output()).toMatch(/"capacity":1,.*"maxTaskRunTime":3600000,/);
  const secondLost = proxy.loseReply("/worker/reregister");
  await worker.waitForOutput(/registering with the worker pool from the beginning(.*\n)+.*renewed the cred/);
  await secondLost;
  await writeFile(go, "");
  await eventually(async () => expect(await runsOf(taskId)).toMatchObject([{ state: "completed" }]));
  const next = await createTask(stack.client, { taskQueueId: pool, payload });
  await eventually(async () => expect(await runsOf(next)).toMatchObject([{ state: "completed" }]));

  const seen = [
    worker.output(),
    await readFile(`/proc/${worker.pid}/cmdline`, "latin1"),
    await readFile(`/proc/${worker.pid}/environ`, "latin1"),
    // Others can read the file only if they are the worker's user.
    ...(process.getuid?.() === 0 ? [await contentOf(taskId, "public/logs/live_backing.log")] : []),
  ];
  expect(seen.map((text) => text.includes(worker.secret))).toEqual(seen.map(() => false));

  await stack.client.workerManager.deleteWorkerPool({ workerPoolId: pool });
  expect(await worker.exitStatus(), worker.output()).toBe(70);
  expect(worker.output()).toContain("worker-manager terminates the worker: worker pool deleted");
  expect(await stack.client.workerManager.worker(workerOf(pool))).toMatchObject({ state: "stopped" });
});

/** Returns the credentials of the only task of a worker. */
async function credentialsOfTask(home: string): Promise<Credentials> {
  const claims = join(home, "worker", "claims");
  const [name = ""] = await readdir(claims);
  const claim: unknown = JSON.parse(await readFile(join(claims, name), "utf8"));
  // Written by the worker.
  return (claim as { credentials: Credentials }).credentials;
}

test("a task on a registered worker reads a secret with its own credentials, and is found in the index by its route", async () => {
  const pool = "test/end-to-end";
  const worker = await startPoolWorker(pool);
  const { url, close } = await taskProxy(stack.rootUrl, () => credentialsOfTask(worker.home));
  onTestFinished(close);
  const secretOf = (name: string) => `${url}/api/secrets/v1/secret/${name}`;
  await stack.client.secrets.set(
    { name: "test/password" },
    { secret: { password: "correct horse" }, expires: new Date(Date.now() + 3_600_000).toISOString() },
  );
  const script = `curl -fsS ${secretOf("test%2Fpassword")} > found.json; curl -s -o /dev/null -w '%{http_code}' ${secretOf("other")} > refused.txt`;
  const artifact = (path: string) => ({ type: "file", path, name: `private/${path}` });
  const taskId = await createTask(stack.client, {
    taskQueueId: pool,
    scopes: ["secrets:get:test/password"],
    routes: ["index.test.end-to-end.latest"],
    payload: {
      command: [["sh", "-ec", script]],
      maxRunTime: 60,
      artifacts: [artifact("found.json"), artifact("refused.txt")],
    },
  });
  await eventually(async () =>
    expect(await stack.client.index.findTask({ indexPath: "test.end-to-end.latest" })).toMatchObject({
      taskId,
    }),
  );
  expect(await runsOf(taskId)).toMatchObject([{ state: "completed", workerGroup: "g", workerId: "w" }]);
  expect(JSON.parse(await contentOf(taskId, "private/found.json"))).toMatchObject({
    secret: { password: "correct horse" },
  });
  expect(await contentOf(taskId, "private/refused.txt")).toBe("403");

  await stack.client.queue.quarantineWorker(
    { provisionerId: "test", workerType: "end-to-end", workerGroup: "g", workerId: "w" },
    { quarantineUntil: new Date(Date.now() + 3_600_000).toISOString() },
  );
  expect(await worker.exitStatus(), worker.output()).toBe(70);
  expect(worker.output()).toContain("worker-manager terminates the worker: worker quarantined");
});

test("a worker that is stopped frees its place in the pool", async () => {
  const pool = "test/places";
  const worker = await startPoolWorker(pool, { config: { maxCapacity: 1 } });
  await worker.waitForOutput(/worker waits for tasks/);
  const second = await runCli(
    ["worker", "--pool", pool, "--secret-file", worker.secretFile, "--worker-id", "second"],
    { env: { TASKCLUSTER_ROOT_URL: stack.rootUrl, TASKYARD_HOME: await makeTemporaryFolder() } },
  );
  expect(second).toMatchObject({
    status: 1,
    err: expect.stringMatching(
      /does not register local\/second for the pool test\/places: .* 1 workers already, which is its maxCapacity\. .*raise maxCapacity/,
    ),
  });
  worker.signal("SIGTERM");
  expect(await worker.exitStatus(), worker.output()).toBe(0);
  expect(await stack.client.workerManager.worker(workerOf(pool))).toMatchObject({ state: "stopped" });
});

test("a worker that is started while its predecessor stops takes its place afterwards", async () => {
  const pool = "test/successor";
  const { secret } = await selfPool(stack, pool, { maxCapacity: 1 });
  const home = await makeTemporaryFolder();
  const secretFile = await writeSecret(home, secret);
  const go = join(await sharedFolder(), "go");
  const start = () => {
    const io = capturedIo({ env: { TASKCLUSTER_ROOT_URL: stack.rootUrl, TASKYARD_HOME: home } });
    const names = ["--worker-group", "g", "--worker-id", "w", "--stop-grace", "10m"];
    return { io, status: main(["worker", "--pool", pool, "--secret-file", secretFile, ...names], io) };
  };
  const first = start();
  const payload = { command: [["sh", "-c", `until [ -e ${go} ]; do sleep 0.05; done`]], maxRunTime: 600 };
  const taskId = await createTask(stack.client, { taskQueueId: pool, payload });
  await eventually(async () => expect(await runsOf(taskId)).toMatchObject([{ state: "running" }]));
  first.io.interrupt("SIGTERM");
  const second = start();
  await Promise.race([second.io.until("is stopping; waiting for its end"), second.status]);
  await writeFile(go, "");
  expect(await first.status, first.io.err()).toBe(0);
  await Promise.race([second.io.until("worker waits for tasks"), second.status]);
  expect(await stack.client.workerManager.worker(workerOf(pool))).toMatchObject({ state: "running" });
  expect(await runsOf(taskId)).toMatchObject([{ state: "completed" }]);
  second.io.interrupt("SIGTERM");
  expect(await second.status, second.io.err()).toBe(0);
});

test("a worker of the provider static registers with its own secret, and stays in its pool", async () => {
  const workerPoolId = "test/static";
  const home = await makeTemporaryFolder();
  const staticSecret = newSecret();
  const worker = workerOf(workerPoolId);
  await stack.client.workerManager.createWorkerPool(
    { workerPoolId },
    { providerId: "static", description: "", config: {}, owner: "a@example.com", emailOnError: false },
  );
  await stack.client.workerManager.createWorker(worker, {
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    providerInfo: { staticSecret },
  });
  const secretFile = await writeSecret(home, staticSecret);
  const env = {
    TASKCLUSTER_ROOT_URL: stack.rootUrl,
    TASKYARD_REGISTRATION_POOL: workerPoolId,
    TASKYARD_REGISTRATION_SECRET_FILE: secretFile,
    TASKYARD_REGISTRATION_PROVIDER: "static",
    TASKYARD_WORKER_WORKER_GROUP: "g",
    TASKYARD_WORKER_WORKER_ID: "w",
  };
  const started = startTaskyard(["worker"], { home, env });
  await started.waitForOutput(/worker waits for tasks/);
  started.signal("SIGTERM");
  expect(await started.exitStatus(), started.output()).toBe(0);
  expect(await stack.client.workerManager.worker(worker)).toMatchObject({ state: "running" });
});

test("a worker tries to register while its server cannot be reached, until it is stopped", async () => {
  const io = capturedIo({
    env: { TASKCLUSTER_ROOT_URL: "http://127.0.0.1:9", TASKYARD_HOME: await makeTemporaryFolder() },
  });
  const secretFile = await writeSecret(await makeTemporaryFolder(), newSecret());
  const status = main(["worker", "--pool", "a/b", "--secret-file", secretFile], io);
  await Promise.race([io.until("could not register with the worker pool; trying again"), status]);
  expect(io.err()).toContain("check that a server runs there");
  io.interrupt("SIGTERM");
  expect(await status, io.err()).toBe(0);
});

test("a worker whose pool later refuses it exits with 1 and says why", async () => {
  const pool = "test/lost";
  // Its credentials have expired already, so it renews them after a second. The server tolerates five minutes.
  const { secret } = await selfPool(stack, pool, { lifecycle: { reregistrationTimeout: -1 } });
  const secretFile = await writeSecret(await makeTemporaryFolder(), secret);
  const io = capturedIo({
    env: { TASKCLUSTER_ROOT_URL: stack.rootUrl, TASKYARD_HOME: await makeTemporaryFolder() },
  });
  const status = main(["worker", "--pool", pool, "--secret-file", secretFile], io);
  await Promise.race([io.until("registered with the worker pool"), status]);
  await stack.client.workerManager.setWorkerPoolSecrets({ workerPoolId: pool }, { secrets: [newSecret()] });
  expect(await status, io.err()).toBe(1);
  expect(io.err()).toContain('"reason":"its registration is lost"');
  expect(io.err()).toMatch(/^error: \S+ does not register \S+ for the pool test\/lost: bad poolSecret /m);
});

describe("a worker that cannot register exits with 1 and says what to do", () => {
  async function start(words: readonly string[], env: Record<string, string> = {}) {
    const home = await makeTemporaryFolder();
    const { status, err } = await runCli(["worker", "--worker-id", "w", ...words], {
      env: { TASKCLUSTER_ROOT_URL: stack.rootUrl, TASKYARD_HOME: home, ...env },
      cwd: home,
    });
    expect(status, err).toBe(1);
    return err;
  }
  const secretFile = async () => writeSecret(await makeTemporaryFolder(), newSecret());

  test.each([
    [["--pool", "a/b"], "--pool (registration.pool) needs --secret-file FILE"],
    [["--secret-file", "f"], "--secret-file (registration.secretFile) needs --pool POOL"],
    [
      ["--pool", "a/b", "--secret-file", "f", "--task-queue", "a/c"],
      "--pool a/b and the task queue a/c contradict each other: a worker serves the queue with the id of its pool. Omit --task-queue",
    ],
    [
      ["--pool", "a/b", "--secret-file", "f"],
      /the secret file \S+\/f does not exist: write the secret into it/,
    ],
  ] as const)("for %j", async (words, message) => {
    expect(await start(words)).toMatch(message);
  });

  test("for credentials beside those of the pool", async () => {
    expect(await start(["--pool", "a/b", "--secret-file", "f"], { TASKCLUSTER_CLIENT_ID: "a" })).toContain(
      "but TASKCLUSTER_CLIENT_ID is set too: unset TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, or omit --pool",
    );
  });

  test("for a pool that does not exist, and for a wrong secret", async () => {
    const words = ["--pool", "test/refusals", "--secret-file", await secretFile()];
    const refusal =
      /does not register local\/w for the pool test\/refusals: bad poolSecret .* Check --pool, --provider \(self\) and the secret in \S+\/pool-secret\.$/m;
    // Callers without a secret do not learn which pools exist.
    expect(await start(words)).toMatch(refusal);
    await selfPool(stack, "test/refusals");
    expect(await start(words)).toMatch(refusal);
  });

  test("for a setting in the workerConfig of its pool that is wrong, and frees its place", async () => {
    const pool = "test/wrong-config";
    const { secret } = await selfPool(stack, pool, { workerConfig: { taskyard: { capacity: 0 } } });
    const file = await writeSecret(await makeTemporaryFolder(), secret);
    expect(await start(["--pool", pool, "--secret-file", file, "--worker-group", "g"])).toContain(
      "worker.capacity = 0  (workerConfig.taskyard.capacity of the pool test/wrong-config)\n    must be at least 1",
    );
    expect(await stack.client.workerManager.worker(workerOf(pool))).toMatchObject({ state: "stopped" });
  });
});
