// When workers should terminate, and how they are listed with what the queue has recorded about them.
import { beforeAll, describe, expect, it } from "vitest";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { selfPool } from "../../../../../test/support/worker-pool.ts";

let stack: Stack;
let manager: Stack["client"]["workerManager"];
beforeAll(async () => {
  stack = await sharedStack();
  manager = stack.client.workerManager;
});

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

describe("shouldWorkerTerminate", () => {
  it("is true for a worker in quarantine, above the cap or of a deleted pool, and false otherwise", async () => {
    const workerPoolId = "self/terminate";
    const { register, pool } = await selfPool(stack, workerPoolId);
    const replies = [await register("a"), await register("b")];
    const ask = (i: number) =>
      stack.as(replies[i]?.credentials).workerManager.shouldWorkerTerminate({
        workerPoolId,
        workerGroup: "g",
        workerId: ["a", "b"][i] ?? "",
      });
    expect(await ask(0)).toEqual({ terminate: false, reason: "none" });
    await manager.updateWorkerPool({ workerPoolId }, { ...pool, config: { maxCapacity: 1 } });
    const answers = [await ask(0), await ask(1)];
    expect(answers.map(({ reason }) => reason).toSorted()).toEqual(["none", "over capacity"]);
    await manager.updateWorkerPool({ workerPoolId }, pool);
    const [provisionerId = "", workerType = ""] = workerPoolId.split("/");
    const inQueue = { provisionerId, workerType, workerGroup: "g", workerId: "a" };
    await stack.client.queue.declareWorker(inQueue, { expires: inAnHour() });
    await stack.client.queue.quarantineWorker(inQueue, { quarantineUntil: inAnHour() });
    expect(await ask(0)).toEqual({ terminate: true, reason: "worker quarantined" });
    expect(await ask(1)).toEqual({ terminate: false, reason: "none" });
    await manager.deleteWorkerPool({ workerPoolId });
    expect(await ask(1)).toEqual({ terminate: true, reason: "worker pool deleted" });
  });
});

describe("workers that the queue has seen", () => {
  it("are listed with the state of their registration, and as standalone without one", async () => {
    const workerPoolId = "self/joined";
    const { register } = await selfPool(stack, workerPoolId);
    await register("known");
    const names = { provisionerId: "self", workerType: "joined" };
    for (const workerId of ["known", "standalone"])
      await stack.client.queue.declareWorker(
        { ...names, workerGroup: "g", workerId },
        { expires: inAnHour() },
      );
    const known = { workerId: "known", state: "running", providerId: "self", capacity: 1 };
    const standalone = { workerId: "standalone", state: "standalone", providerId: "none", capacity: 0 };
    expect((await manager.listWorkers(names)).workers).toMatchObject([known, standalone]);
    const query = { workerState: "standalone" };
    expect((await manager.listWorkers(names, { query })).workers).toMatchObject([standalone]);
    const one = { ...names, workerGroup: "g" };
    expect(await manager.getWorker({ ...one, workerId: "known" })).toMatchObject({
      ...known,
      recentTasks: [],
    });
    expect(await manager.getWorker({ ...one, workerId: "standalone" })).toMatchObject(standalone);
    await expect(manager.getWorker({ ...one, workerId: "none" })).rejects.toMatchObject({
      code: "ResourceNotFound",
      statusCode: 404,
    });
    const limited = stack.limited(["worker-manager:get-worker:self/joined/g/known"]).workerManager;
    expect(await limited.getWorker({ ...one, workerId: "known" })).toMatchObject(known);
  });
});
