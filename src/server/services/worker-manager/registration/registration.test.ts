// Registration of workers of both providers, what their credentials are for, and how they end.
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { storedTexts } from "../../../../../test/support/stored-texts.ts";
import { newSecret, poolOf, selfPool } from "../../../../../test/support/worker-pool.ts";
import { sql } from "../../../core/sql.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let stack: Stack;
let clock: ManualClock;
let manager: Stack["client"]["workerManager"];
beforeAll(async () => {
  clock = manualClock(Date.now());
  stack = await testStack({
    manualLoops: true,
    clock,
    config: { access: "closed", server: { metricsToken: "a-token-for-prometheus" } },
  });
  manager = stack.client.workerManager;
});
afterAll(() => stack.stop());

const inHours = (n: number): string => new Date(clock.now() + n * HOUR).toISOString();
const inputError = (message: string) => ({
  code: "InputError",
  statusCode: 400,
  message: expect.stringContaining(message) as string,
});
const notFound = { code: "ResourceNotFound", statusCode: 404 };
const Event = Type.Object({ exchange: Type.String() });
/** Returns the events about the workers of a pool. */
const eventsOf = async (workerPoolId: string): Promise<string[]> =>
  (
    await stack.database.db.many(
      Event,
      sql`
      select exchange from events
      where payload like ${`%"${workerPoolId}"%`} and exchange like '%/taskcluster-worker-manager/%' and payload like '%"workerId"%'
      order by id`,
    )
  ).map(({ exchange }) => exchange.split("/").at(-1) ?? "");

async function staticWorker(workerPoolId: string) {
  const staticSecret = newSecret();
  const worker = { workerPoolId, workerGroup: "g", workerId: "w" };
  await manager.createWorkerPool({ workerPoolId }, poolOf({ config: { workerConfig: { a: 1 } } }));
  const created = await manager.createWorker(worker, {
    expires: inHours(10 * 24),
    providerInfo: { staticSecret },
  });
  const proof = { ...worker, providerId: "static", workerIdentityProof: { staticSecret } };
  const register = (changes: object = {}) =>
    stack.as(undefined).workerManager.registerWorker({ ...proof, ...changes });
  return { worker, staticSecret, created, register };
}

describe("a worker of the provider static", () => {
  it("is created with a secret, and gets credentials with exactly the scopes of a worker", async () => {
    const workerPoolId = "register/static";
    const { worker, created, staticSecret, register } = await staticWorker(workerPoolId);
    expect(created).toMatchObject({ ...worker, providerId: "static", state: "running", capacity: 1 });
    const reply = await register();
    expect(reply).toMatchObject({ workerConfig: { a: 1 }, expires: inHours(96) });
    expect(reply.secret).toMatch(/^[\w-]{44}$/);
    expect(reply.credentials.clientId).toBe(`worker/static/${workerPoolId}/g/w`);
    const { scopes, start } = JSON.parse(reply.credentials.certificate ?? "") as {
      readonly scopes: readonly string[];
      readonly start: number;
    };
    expect(start).toBe(clock.now() - HOUR / 4);
    expect(scopes.toSorted()).toEqual(
      [
        `assume:worker-type:${workerPoolId}`,
        `assume:worker-pool:${workerPoolId}`,
        "assume:worker-id:g/w",
        "queue:worker-id:g/w",
        `secrets:get:worker-type:${workerPoolId}`,
        `secrets:get:worker-pool:${workerPoolId}`,
        `queue:claim-work:${workerPoolId}`,
        ...["remove-worker", "reregister-worker", "should-worker-terminate"].map(
          (name) => `worker-manager:${name}:${workerPoolId}/g/w`,
        ),
      ].toSorted(),
    );
    // The client that signs them has all of these.
    await stack.as(reply.credentials).workerManager.shouldWorkerTerminate(worker);
    // Repeatable.
    expect((await register()).secret).not.toBe(reply.secret);
    const stored = await storedTexts(stack.database.db);
    for (const secret of [staticSecret, reply.secret]) expect(stored).not.toContain(secret);
    expect(await eventsOf(workerPoolId)).toEqual([]);
  });

  it("learns nothing about pools and workers before it has proved its identity", async () => {
    const workerPoolId = "register/order";
    const { register } = await staticWorker(workerPoolId);
    const self = await selfPool(stack, "register/order-self");
    const refusalOf = async (changes: object) => {
      const refused: unknown = await register(changes).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "InputError", statusCode: 400 });
      return (refused as Error).message;
    };
    for (const [providerId, member] of [
      ["static", "staticSecret"],
      ["self", "poolSecret"],
    ] as const) {
      const workerIdentityProof = { [member]: newSecret() };
      const refusals = [
        { workerPoolId: "register/none" },
        { workerPoolId: "register/order-self", workerId: "none" },
        { workerId: "none" },
        {},
      ].map((changes) => refusalOf({ providerId, workerIdentityProof, ...changes }));
      expect(new Set(await Promise.all(refusals)).size).toBe(1);
      expect(await refusals[0]).toMatch(new RegExp(`^bad ${member} in workerIdentityProof: `));
      expect(await refusalOf({ providerId, workerIdentityProof: { token: "a" } })).toMatch(
        new RegExp(`^missing ${member} in workerIdentityProof: `),
      );
    }
    await expect(register({ providerId: "none" })).rejects.toMatchObject({
      ...notFound,
      message: expect.stringContaining("Provider none does not exist"),
    });
    await expect(
      register({ providerId: "self", workerIdentityProof: { poolSecret: self.secret } }),
    ).rejects.toMatchObject(inputError("bad poolSecret"));
  });

  it("learns why it cannot register once it has proved its identity", async () => {
    const workerPoolId = "register/proved";
    const { worker, register } = await staticWorker(workerPoolId);
    await manager.removeWorker(worker);
    await expect(register()).rejects.toMatchObject(inputError("worker is not running"));
    await manager.updateWorker(worker, { expires: inHours(-1) });
    await expect(register()).rejects.toMatchObject(inputError("Worker has expired"));
    const { register: registerSelf } = await selfPool(stack, "register/proved-self");
    await manager.updateWorkerPool({ workerPoolId: "register/proved-self" }, poolOf({ config: {} }));
    await expect(registerSelf("w")).rejects.toMatchObject(
      inputError("takes no new workers of the provider self"),
    );
  });

  it("is created idempotently, and only where the provider of the pool allows it", async () => {
    const { worker, staticSecret, created } = await staticWorker("register/create");
    const request = { expires: inHours(1), providerInfo: { staticSecret } };
    expect(await manager.createWorker(worker, request)).toEqual(created);
    await expect(
      manager.createWorker(worker, { ...request, providerInfo: { staticSecret: newSecret() } }),
    ).rejects.toMatchObject(inputError("worker already exists"));
    await expect(manager.createWorker(worker, { ...request, expires: inHours(-1) })).rejects.toMatchObject(
      inputError("must be in the future"),
    );
    await expect(manager.createWorker(worker, { expires: inHours(1) })).rejects.toMatchObject(
      inputError("providerInfo.staticSecret is missing"),
    );
    const elsewhere = { ...worker, workerPoolId: "register/self-create" };
    await expect(manager.createWorker(elsewhere, request)).rejects.toMatchObject(notFound);
    await selfPool(stack, elsewhere.workerPoolId);
    await expect(manager.createWorker(elsewhere, request)).rejects.toMatchObject(
      inputError("not supported for this provider"),
    );
    expect(await manager.updateWorker(worker, { expires: inHours(2), capacity: 3 })).toMatchObject({
      expires: inHours(2),
      capacity: 3,
    });
    expect(await manager.workerPool({ workerPoolId: worker.workerPoolId })).toMatchObject({
      runningCount: 1,
      runningCapacity: 3,
      currentCapacity: 3,
    });
    for (const call of [
      () => manager.updateWorker({ ...worker, workerId: "x" }, request),
      () => manager.removeWorker({ ...worker, workerId: "x" }),
      () => manager.worker({ ...worker, workerId: "x" }),
      () => manager.shouldWorkerTerminate({ ...worker, workerId: "x" }),
    ])
      await expect(call()).rejects.toMatchObject(notFound);
  });
});

describe("reregisterWorker", () => {
  it("exchanges the secret for a new one, and each is valid once", async () => {
    const { worker, register } = await staticWorker("register/again");
    const { credentials, secret } = await register();
    const own = stack.as(credentials).workerManager;
    const wrong = inputError("Could not generate credentials for this secret");
    const renewed = await own.reregisterWorker({ ...worker, secret });
    expect(renewed.expires).toBe(inHours(96));
    await expect(own.reregisterWorker({ ...worker, secret })).rejects.toMatchObject(wrong);
    await expect(
      manager.reregisterWorker({ ...worker, workerId: "x", secret: renewed.secret }),
    ).rejects.toMatchObject(wrong);
    const both = await Promise.allSettled(
      [0, 1].map(() => own.reregisterWorker({ ...worker, secret: renewed.secret })),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await expect(own.reregisterWorker({ ...worker, workerId: "x", secret })).rejects.toMatchObject({
      code: "InsufficientScopes",
    });
  });
});

describe("a worker of the provider self", () => {
  it("is created by its registration up to the cap, and its removal makes room", async () => {
    const workerPoolId = "self/cap";
    const { register } = await selfPool(stack, workerPoolId, { maxCapacity: 2, workerConfig: { a: 1 } });
    const reply = await register("one");
    expect(reply).toMatchObject({ workerConfig: { a: 1 }, expires: inHours(96) });
    expect(reply.credentials.clientId).toBe(`worker/self/${workerPoolId}/g/one`);
    const registered = await Promise.allSettled(["two", "three", "four"].map((id) => register(id)));
    expect(registered.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(register("five")).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining("has 2 workers already, which is its maxCapacity"),
    });
    // It has its place.
    await register("one");
    await stack.as(reply.credentials).workerManager.removeWorker({
      workerPoolId,
      workerGroup: "g",
      workerId: "one",
    });
    await register("five");
    expect(await eventsOf(workerPoolId)).toEqual(
      [
        ["worker-requested", "worker-running"],
        ["worker-requested", "worker-running"],
        ["worker-stopped", "worker-removed"],
        ["worker-requested", "worker-running"],
      ].flat(),
    );
  });

  it("is refused without a secret of its pool, and with two during a rotation", async () => {
    const workerPoolId = "self/secrets";
    const { register, secret } = await selfPool(stack, workerPoolId);
    const next = newSecret();
    const bad = inputError("bad poolSecret in workerIdentityProof");
    await expect(register("w", next)).rejects.toMatchObject(bad);
    await manager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [next, secret] });
    await register("w");
    await register("w", next);
    await manager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [next] });
    await expect(register("w")).rejects.toMatchObject(bad);
    await register("w", next);
    await manager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [] });
    await expect(register("w", next)).rejects.toMatchObject(bad);
    await expect(
      stack.as(undefined).workerManager.registerWorker({
        workerPoolId,
        providerId: "self",
        workerGroup: "g",
        workerId: "w",
        workerIdentityProof: { token: "a" },
      }),
    ).rejects.toMatchObject(inputError("missing poolSecret"));
  });

  it("gets the first launch config with room, whose config takes precedence", async () => {
    const workerPoolId = "self/launch";
    const launchConfigs = [
      { workerConfig: { a: 2 }, workerManager: { launchConfigId: "first", maxCapacity: 1 } },
      { workerConfig: { b: 3 }, workerManager: { launchConfigId: "second" } },
    ];
    const { register, pool } = await selfPool(stack, workerPoolId, { workerConfig: { a: 1 }, launchConfigs });
    expect((await register("one")).workerConfig).toEqual({ a: 2 });
    expect((await register("two")).workerConfig).toEqual({ a: 1, b: 3 });
    expect((await register("one")).workerConfig).toEqual({ a: 2 });
    const ofFirst = await manager.listWorkersForWorkerPool(
      { workerPoolId },
      { query: { launchConfigId: "first", state: "running" } },
    );
    expect(ofFirst.workers.map(({ workerId }) => workerId)).toEqual(["one"]);
    expect((await manager.workerPoolStats({ workerPoolId })).launchConfigStats).toMatchObject([
      { launchConfigId: "first", runningCount: 1 },
      { launchConfigId: "second", runningCount: 1 },
    ]);
    await manager.updateWorkerPool(
      { workerPoolId },
      { ...pool, config: { maxCapacity: 10, launchConfigs: launchConfigs.slice(1) } },
    );
    expect(await manager.shouldWorkerTerminate({ workerPoolId, workerGroup: "g", workerId: "one" })).toEqual({
      terminate: true,
      reason: "launch config archived",
    });
  });

  it("ends when it falls silent, and can come back", async () => {
    const workerPoolId = "self/silent";
    const config = { lifecycle: { reregistrationTimeout: 3600 } };
    const { register } = await selfPool(stack, workerPoolId, config);
    const { expires } = await register("w");
    expect(expires).toBe(inHours(1));
    const worker = { workerPoolId, workerGroup: "g", workerId: "w" };
    const reasons = () =>
      stack.records
        .filter((entry) => entry["msg"] === "worker-removed" && entry["workerPoolId"] === workerPoolId)
        .map(({ reason }) => reason);
    await clock.advance(HOUR - 1);
    await stack.runLoop("silent-workers");
    expect(await manager.worker(worker)).toMatchObject({ state: "running" });
    await clock.advance(2);
    await stack.runLoop("silent-workers");
    expect(await manager.worker(worker)).toMatchObject({ state: "stopped" });
    expect((await eventsOf(workerPoolId)).slice(2)).toEqual(["worker-stopped", "worker-removed"]);
    await register("w");
    await clock.advance(HOUR + 1);
    // Before the loop has noticed that it was silent.
    await register("w");
    expect((await eventsOf(workerPoolId)).slice(4)).toEqual([
      "worker-requested",
      "worker-running",
      "worker-stopped",
      "worker-removed",
      "worker-requested",
      "worker-running",
    ]);
    const silent = "The worker did not register again in time.";
    expect(reasons()).toEqual([silent, silent]);
    await manager.removeWorker(worker);
    await clock.advance(DAY + 1);
    await stack.runLoop("pool-worker-expiry");
    await expect(manager.worker(worker)).rejects.toMatchObject(notFound);
  });
});

describe("the log and the metrics", () => {
  it("show registrations, refusals and ends of workers by pool", async () => {
    const workerPoolId = "self/monitored";
    const { register, secret } = await selfPool(stack, workerPoolId);
    const worker = { workerPoolId, providerId: "self", workerId: "w" };
    await register("w", secret, { systemBootTime: new Date(clock.now() - 12_000).toISOString() });
    await register("w");
    for (const pool of [workerPoolId, "self/none"])
      await expect(
        stack.as(undefined).workerManager.registerWorker({
          ...worker,
          workerPoolId: pool,
          workerGroup: "g",
          workerIdentityProof: { poolSecret: newSecret() },
        }),
      ).rejects.toMatchObject(inputError("bad poolSecret"));
    await clock.advance(10_000);
    await stack.runLoop("worker-pool-gauges");
    const series = async (): Promise<readonly string[]> => {
      const metrics = await (await fetch(`${stack.rootUrl}/metrics`, { headers: { authorization } })).text();
      return metrics.split("\n").filter((line) => /^worker_manager\w+\{.*self\/(monitored|none)"/.test(line));
    };
    const authorization = "Bearer a-token-for-prometheus";
    const labels = 'workerPoolId="self/monitored",providerId="self"';
    const running = [
      `worker_manager_existing_capacity{${labels}} 1`,
      `worker_manager_worker_startup_seconds_sum{${labels}} 12`,
      `worker_manager_worker_registration_failures_total{${labels}} 1`,
    ];
    expect(await series()).toEqual(expect.arrayContaining(running));
    expect((await series()).join()).not.toContain("self/none");

    await manager.removeWorker({ workerPoolId, workerGroup: "g", workerId: "w" });
    await manager.removeWorker({ workerPoolId, workerGroup: "g", workerId: "w" });
    await stack.runLoop("worker-pool-gauges");
    const after = await series();
    expect(after).toContain(`worker_manager_worker_lifetime_seconds_sum{${labels}} 10`);
    expect(after.join()).not.toContain("worker_manager_existing_capacity");
    const recorded = stack.records.filter((entry) => entry["workerPoolId"] === workerPoolId);
    expect(recorded).toMatchObject([
      { ...worker, msg: "worker-running" },
      { ...worker, msg: "worker-removed", workerAge: 10, reason: "The worker was removed by removeWorker." },
    ]);
  });
});
