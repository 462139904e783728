// Errors that workers report, and their statistics.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../../test/support/clock.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { poolOf } from "../../../../../test/support/worker-pool.ts";

const HOUR = 3_600_000;
const workerPoolId = "errors/pool";
let stack: Stack;
let clock: ManualClock;
let manager: Stack["client"]["workerManager"];
beforeAll(async () => {
  clock = manualClock(Date.parse("2030-05-05T12:30:00Z"));
  stack = await testStack({ manualLoops: true, clock, config: { access: "closed" } });
  manager = stack.client.workerManager;
  for (const id of [workerPoolId, "errors/other"])
    await manager.createWorkerPool({ workerPoolId: id }, poolOf());
});
afterAll(() => stack.stop());

const worker = { workerGroup: "g", workerId: "w" };
const report = (title: string, extra: object = {}, pool = workerPoolId) =>
  manager.reportWorkerError(
    { workerPoolId: pool },
    { ...worker, kind: "boot-error", title, description: "It does not boot.", extra: { ...extra } },
  );

describe("an error of a worker pool", () => {
  it("is recorded, listed with the newest first, counted, and removed after a week", async () => {
    const first = await report("No disk", { code: "disk" });
    expect(first).toMatchObject({
      workerPoolId,
      kind: "boot-error",
      title: "No disk",
      reported: "2030-05-05T12:30:00.000Z",
      extra: { code: "disk", ...worker },
    });
    expect(stack.records).toContainEqual(
      expect.objectContaining({
        msg: "worker-error",
        workerPoolId,
        errorId: first.errorId,
        kind: "boot-error",
      }),
    );
    await clock.advance(25 * HOUR);
    const second = await report("No network");
    await report("No disk", {}, "errors/other");
    const list = async (query: object = {}) =>
      (await manager.listWorkerPoolErrors({ workerPoolId }, { query })).workerPoolErrors;
    expect(await list()).toEqual([second, first]);
    expect(await list({ errorId: first.errorId })).toEqual([first]);
    expect(await list({ launchConfigId: "lc-1" })).toEqual([]);

    const { totals, workerPoolId: of } = await manager.workerPoolErrorStats({ query: { workerPoolId } });
    expect(of).toBe(workerPoolId);
    expect(totals).toMatchObject({
      total: 2,
      title: { "No disk": 1, "No network": 1 },
      code: { disk: 1, other: 1 },
      launchConfig: { unknown: 2 },
      workerPool: { [workerPoolId]: 2 },
      daily: { "2030-05-05": 1, "2030-05-06": 1 },
      hourly: { "2030-05-06T13:00:00.000Z": 1 },
    });
    expect(Object.keys(totals.daily)).toHaveLength(7);
    expect(Object.keys(totals.hourly)).toHaveLength(24);
    expect(await manager.workerPoolErrorStats()).toMatchObject({ workerPoolId: "", totals: { total: 3 } });
    const limited = stack.limited([`worker-manager:list-worker-pool-errors:${workerPoolId}`]).workerManager;
    await limited.workerPoolErrorStats({ query: { workerPoolId } });
    await expect(limited.workerPoolErrorStats()).rejects.toMatchObject({ code: "InsufficientScopes" });

    await clock.advance(6.5 * 24 * HOUR);
    await stack.runLoop("worker-pool-error-expiry");
    expect(await list()).toEqual([second]);
  });

  it("needs a pool that exists and the scopes of its worker", async () => {
    await expect(report("a", {}, "errors/none")).rejects.toMatchObject({ code: "ResourceNotFound" });
    const own = [`assume:worker-pool:${workerPoolId}`, "assume:worker-id:g/w"];
    const body = { ...worker, kind: "k", title: "t", description: "d", extra: {} };
    await stack.limited(own).workerManager.reportWorkerError({ workerPoolId }, body);
    await expect(
      stack.limited(own).workerManager.reportWorkerError({ workerPoolId }, { ...body, workerId: "x" }),
    ).rejects.toMatchObject({ code: "InsufficientScopes" });
  });
});
