// Worker pools over HTTP, from create to their removal.
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noWorkers } from "../../../../../test/support/no-workers.ts";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { newSecret, poolOf, selfPool } from "../../../../../test/support/worker-pool.ts";
import { storedTexts } from "../../../../../test/support/stored-texts.ts";
import { jsonText } from "../../../core/json.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
let clock: ManualClock;
let manager: Stack["client"]["workerManager"];
beforeAll(async () => {
  clock = manualClock(Date.now());
  stack = await testStack({ manualLoops: true, clock });
  manager = stack.client.workerManager;
});
afterAll(() => stack.stop());

const Event = Type.Object({
  exchange: Type.String(),
  routing_key: Type.String(),
  payload: jsonText<object>(),
});
/** Returns the events of a pool since the last call. */
let seen = 0;
async function eventsOf(workerPoolId: string): Promise<(readonly [string, object])[]> {
  const rows = await stack.database.db.many(
    Event,
    sql`select exchange, routing_key, payload from events where payload like ${`%"${workerPoolId}"%`} order by id`,
  );
  const fresh = rows.slice(seen);
  seen = rows.length;
  return fresh.map(({ exchange, routing_key: key, payload }) => [
    `${exchange.split("/").at(-1) ?? ""} ${key}`,
    JSON.parse(payload) as object,
  ]);
}
const inputError = { code: "InputError", statusCode: 400 };
const notFound = { code: "ResourceNotFound", statusCode: 404 };

describe("a worker pool", () => {
  it("is created, read, updated, listed and deleted, with events and audit entries", async () => {
    const workerPoolId = "pools/life";
    const definition = poolOf({ config: { workerConfig: { a: 1 } } });
    const created = new Date(clock.now()).toISOString();
    const pool = { workerPoolId, ...definition, created, lastModified: created, ...noWorkers };
    expect(await manager.createWorkerPool({ workerPoolId }, definition)).toEqual(pool);
    expect(await manager.workerPool({ workerPoolId })).toEqual(pool);
    expect((await manager.listWorkerPools()).workerPools).toContainEqual(pool);
    expect((await manager.listWorkerPoolsStats()).workerPoolsStats).toContainEqual({
      workerPoolId,
      ...noWorkers,
    });
    expect(await eventsOf(workerPoolId)).toEqual([
      ["worker-pool-created primary.static.pools.life._._._._", { workerPoolId, providerId: "static" }],
    ]);
    await expect(manager.createWorkerPool({ workerPoolId }, definition)).rejects.toMatchObject({
      code: "RequestConflict",
    });

    await clock.advance(1000);
    const lastModified = new Date(clock.now()).toISOString();
    const change = poolOf({ providerId: "self", config: { maxCapacity: 1 }, emailOnError: true });
    const changed = { ...pool, ...change, lastModified };
    expect(await manager.updateWorkerPool({ workerPoolId }, { ...change, workerPoolId })).toEqual(changed);
    expect(await eventsOf(workerPoolId)).toEqual([
      [
        "worker-pool-updated primary.self.pools.life._._._._",
        { workerPoolId, providerId: "self", previousProviderId: "static" },
      ],
    ]);
    await expect(
      manager.updateWorkerPool({ workerPoolId }, { ...change, workerPoolId: "other/pool" }),
    ).rejects.toMatchObject(inputError);

    expect(await manager.deleteWorkerPool({ workerPoolId })).toEqual({
      ...changed,
      providerId: "null-provider",
    });
    expect(await eventsOf(workerPoolId)).toEqual([
      [
        "worker-pool-updated primary.null-provider.pools.life._._._._",
        { workerPoolId, providerId: "null-provider", previousProviderId: "self" },
      ],
    ]);
    await stack.runLoop("deleted-worker-pools");
    await expect(manager.workerPool({ workerPoolId })).rejects.toMatchObject(notFound);
    const { auditHistory } = await stack.client.auth.getEntityHistory({
      entityType: "worker-pool",
      entityId: workerPoolId,
    });
    expect(auditHistory.map((entry) => entry.actionType).toSorted()).toEqual([
      "created",
      "deleted",
      "updated",
    ]);
  });

  it("needs a provider that exists and a config that matches its schema", async () => {
    const create = (pool: object) => manager.createWorkerPool({ workerPoolId: "pools/bad" }, poolOf(pool));
    await expect(create({ providerId: "aws" })).rejects.toMatchObject({
      ...inputError,
      message: expect.stringContaining('Invalid Provider "aws": it must be one of'),
    });
    await expect(create({ config: { maxCapacity: 1 } })).rejects.toMatchObject({
      code: "InputValidationError",
      message: expect.stringContaining('must NOT have additional properties: "maxCapacity"'),
    });
    await expect(create({ providerId: "self" })).rejects.toMatchObject({
      code: "InputValidationError",
      message: expect.stringContaining("must have required property 'maxCapacity'"),
    });
    await expect(create({ owner: "nobody" })).rejects.toMatchObject({ code: "InputValidationError" });
    for (const call of [
      () => manager.updateWorkerPool({ workerPoolId: "pools/none" }, poolOf()),
      () => manager.deleteWorkerPool({ workerPoolId: "pools/none" }),
      () => manager.setWorkerPoolSecrets({ workerPoolId: "pools/none" }, { secrets: [] }),
      () => manager.setWorkerPoolSecrets({ workerPoolId: "pools/none" }, { secrets: [newSecret()] }),
      () => manager.workerPoolStats({ workerPoolId: "pools/none" }),
    ])
      await expect(call()).rejects.toMatchObject(notFound);
  });

  it("requires the scopes of the pool and of the provider", async () => {
    const workerPoolId = "pools/scopes";
    const scopes = [`worker-manager:manage-worker-pool:${workerPoolId}`, "worker-manager:provider:static"];
    for (const scope of scopes)
      await expect(
        stack.limited([scope]).workerManager.createWorkerPool({ workerPoolId }, poolOf()),
      ).rejects.toMatchObject({ code: "InsufficientScopes" });
    await stack.limited(scopes).workerManager.createWorkerPool({ workerPoolId }, poolOf());
  });

  it("has launch configs with ids, which are archived when they are missing and restored when they are back", async () => {
    const workerPoolId = "pools/launch-configs";
    const [small, large] = [{ workerConfig: { size: "small" } }, { workerConfig: { size: "large" } }];
    const named = { ...large, workerManager: { launchConfigId: "large", maxCapacity: 1 } };
    const withConfigs = (...launchConfigs: object[]) =>
      poolOf({ providerId: "self", config: { maxCapacity: 5, launchConfigs } });
    const idsOf = async (query: { includeArchived?: string } = {}) =>
      (await manager.listWorkerPoolLaunchConfigs({ workerPoolId }, { query })).workerPoolLaunchConfigs.map(
        ({ launchConfigId, isArchived }) => [launchConfigId, isArchived],
      );
    const { config } = await manager.createWorkerPool({ workerPoolId }, withConfigs(small, named));
    const id = expect.stringMatching(/^lc-[0-9a-f]{20}$/) as string;
    expect(config["launchConfigs"]).toEqual([{ ...small, workerManager: { launchConfigId: id } }, named]);
    expect(await idsOf()).toEqual([
      ["large", false],
      [id, false],
    ]);
    const kinds = async () => (await eventsOf(workerPoolId)).map(([kind]) => kind.split(" ")[0]);
    seen = 0;
    expect(await kinds()).toEqual(["worker-pool-created", "launch-config-created", "launch-config-created"]);

    await manager.updateWorkerPool({ workerPoolId }, withConfigs(small));
    expect(await idsOf()).toEqual([[id, false]]);
    expect(await idsOf({ includeArchived: "true" })).toEqual([
      ["large", true],
      [id, false],
    ]);
    expect(await kinds()).toEqual(["worker-pool-updated", "launch-config-archived"]);
    await expect(
      manager.updateWorkerPool(
        { workerPoolId },
        withConfigs({ ...small, workerManager: { launchConfigId: "large" } }),
      ),
    ).rejects.toMatchObject({ code: "RequestConflict" });
    await expect(manager.updateWorkerPool({ workerPoolId }, withConfigs(small, small))).rejects.toMatchObject(
      { code: "RequestConflict" },
    );
    await manager.updateWorkerPool({ workerPoolId }, withConfigs(small, named));
    expect(await kinds()).toEqual(["worker-pool-updated", "launch-config-updated"]);
    await manager.deleteWorkerPool({ workerPoolId });
    expect(await idsOf()).toEqual([]);
  });

  it("keeps its earlier provider while that has workers", async () => {
    const workerPoolId = "pools/moves";
    const { register, pool } = await selfPool(stack, workerPoolId);
    await register("w");
    await manager.updateWorkerPool({ workerPoolId }, poolOf());
    const Row = Type.Object({ previous: Type.Array(Type.String()) });
    const previous = async () =>
      (
        await stack.database.db.maybeOne(
          Row,
          sql`select previous_provider_ids as previous from worker_pools where worker_pool_id = ${workerPoolId}`,
        )
      )?.previous;
    await stack.runLoop("deleted-worker-pools");
    expect(await previous()).toEqual(["self"]);
    // A running worker of the earlier provider can register again. A new one cannot.
    await register("w");
    await expect(register("another")).rejects.toMatchObject(inputError);
    await stack.database.db.run(sql`delete from pool_workers where worker_pool_id = ${workerPoolId}`);
    await stack.runLoop("deleted-worker-pools");
    expect(await previous()).toEqual([]);
    await expect(register("w")).rejects.toMatchObject({
      ...inputError,
      message: expect.stringContaining("Worker provider self is not the provider of the pool pools/moves"),
    });
    await manager.updateWorkerPool({ workerPoolId }, pool);
    await register("w");
  });
});

it("the secrets of pools are stored encrypted, and no error or log has them", async () => {
  const workerPoolId = "pools/secret";
  const { secret } = await selfPool(stack, workerPoolId);
  await expect(
    manager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [secret, secret] }),
  ).rejects.toSatisfy((error: Error) => !error.message.includes(secret));
  expect(await storedTexts(stack.database.db)).not.toContain(secret);
  expect(JSON.stringify(stack.records)).not.toContain(secret);
});

it("the providers are those of this server", async () => {
  expect(await manager.listProviders()).toEqual({
    providers: ["null-provider", "self", "static"].map((id) => ({ providerId: id, providerType: id })),
  });
  const { continuationToken = "" } = await manager.listProviders({ query: { limit: "2" } });
  expect((await manager.listProviders({ query: { continuationToken } })).providers).toHaveLength(1);
});
