// Taskcluster's client drives every method of the worker-manager service.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTask } from "../support/factories.ts";
import { poolOf } from "../support/worker-pool.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { renderApiReference } from "../../src/api/references/api-reference.ts";
import { workerManagerApi } from "../../src/api/worker-manager/index.ts";
import { rawCall } from "../support/raw-call.ts";
import { peer, type PeerCredentials, type PeerService } from "./peer-client.ts";

type PeerManager = PeerService<typeof workerManagerApi>;
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
});
afterAll(() => stack.stop());

const secret = (): string => randomBytes(33).toString("base64url");
const managerOf = (credentials: PeerCredentials | Record<string, never>): PeerManager =>
  new peer.WorkerManager({ rootUrl: stack.rootUrl, credentials, retries: 0 });

it("the compatible client manages pools and their workers", async () => {
  const manager = managerOf(stack.rootCredentials);
  const pool = "peer/pool";
  expect((await manager.listProviders()).providers).toContainEqual({
    providerId: "static",
    providerType: "static",
  });
  const created = await manager.createWorkerPool(pool, poolOf({ config: { workerConfig: { a: 1 } } }));
  expect(await manager.workerPool(pool)).toEqual(created);
  expect((await manager.listWorkerPools({ limit: 10 })).workerPools).toEqual([created]);
  await manager.updateWorkerPool(pool, poolOf({ description: "changed" }));

  const staticSecret = secret();
  const request = { expires: peer.fromNow("1 day").toISOString(), providerInfo: { staticSecret } };
  const worker = await manager.createWorker(pool, "g", "w", request);
  expect(await manager.worker(pool, "g", "w")).toEqual(worker);
  expect((await manager.listWorkersForWorkerPool(pool)).workers).toEqual([worker]);
  expect((await manager.listWorkersForWorkerGroup(pool, "g")).workers).toEqual([worker]);
  expect(await manager.updateWorker(pool, "g", "w", { ...request, capacity: 2 })).toMatchObject({
    capacity: 2,
  });
  const registered = await managerOf({}).registerWorker({
    workerPoolId: pool,
    providerId: "static",
    workerGroup: "g",
    workerId: "w",
    workerIdentityProof: { staticSecret },
  });
  const own = managerOf(registered.credentials);
  const renewed = await own.reregisterWorker({
    workerPoolId: pool,
    workerGroup: "g",
    workerId: "w",
    secret: registered.secret,
  });
  const renewedOwn = managerOf(renewed.credentials);
  const { errorId } = await renewedOwn.reportWorkerError(pool, {
    workerGroup: "g",
    workerId: "w",
    kind: "k",
    title: "t",
    description: "d",
    extra: {},
  });
  expect((await manager.listWorkerPoolErrors(pool)).workerPoolErrors).toMatchObject([{ errorId }]);
  // Without a task, the claim would wait for one for 20 seconds.
  const taskId = await createTask(stack.client, { taskQueueId: pool });
  const queue = new peer.Queue({ rootUrl: stack.rootUrl, credentials: renewed.credentials, retries: 0 });
  expect((await queue.claimWork(pool, { workerGroup: "g", workerId: "w", tasks: 1 })).tasks).toMatchObject([
    { status: { taskId } },
  ]);
  expect((await manager.listWorkers("peer", "pool")).workers).toMatchObject([{ state: "running" }]);
  expect(await manager.getWorker("peer", "pool", "g", "w")).toMatchObject({ providerId: "static" });
  expect(await renewedOwn.removeWorker(pool, "g", "w")).toEqual({});
  expect(await manager.worker(pool, "g", "w")).toMatchObject({ state: "stopped" });
  expect(await manager.deleteWorkerPool(pool)).toMatchObject({ providerId: "null-provider" });
  expect(await manager.ping()).toMatchObject({ alive: true });
});

it("its client made from our reference calls the methods that it lacks", async () => {
  const Manager = peer.createClient(
    renderApiReference(workerManagerApi),
    "worker-manager",
  ) as unknown as new (...args: ConstructorParameters<typeof peer.WorkerManager>) => PeerManager;
  const manager = new Manager({ rootUrl: stack.rootUrl, credentials: stack.rootCredentials, retries: 0 });
  const pool = "peer/self";
  await manager.createWorkerPool(pool, poolOf({ providerId: "self", config: { maxCapacity: 1 } }));
  const poolSecret = secret();
  await manager.setWorkerPoolSecrets(pool, { secrets: [poolSecret] });
  const id = { workerPoolId: pool, providerId: "self", workerGroup: "g", workerId: "w" };
  const { credentials } = await manager.registerWorker({ ...id, workerIdentityProof: { poolSecret } });
  const own = new Manager({ rootUrl: stack.rootUrl, credentials, retries: 0 });
  expect(await own.shouldWorkerTerminate(pool, "g", "w")).toEqual({ terminate: false, reason: "none" });
  expect(await manager.listWorkerPoolLaunchConfigs(pool)).toEqual({ workerPoolLaunchConfigs: [] });
  expect(await manager.workerPoolStats(pool)).toEqual({ launchConfigStats: [] });
  expect((await manager.listWorkerPoolsStats()).workerPoolsStats).toContainEqual(
    expect.objectContaining({ workerPoolId: pool, runningCount: 1 }),
  );
  expect(await manager.workerPoolErrorStats({ workerPoolId: pool })).toMatchObject({ totals: { total: 0 } });
});

it("paths of older clients, with a colon after the pool, are understood", async () => {
  const pool = encodeURIComponent("peer/self");
  for (const path of [`workers/${pool}:/g`, `workers/${pool}:/g/w`]) {
    const reply = await rawCall(stack.rootUrl, {
      method: "GET",
      path: `/api/worker-manager/v1/${path}`,
      credentials: stack.rootCredentials,
    });
    expect([reply.status, reply.message]).toEqual([200, ""]);
  }
});
