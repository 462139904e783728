import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { selfPool } from "../../../../../test/support/worker-pool.ts";
import { until } from "../../../../../test/support/until.ts";
import { appendEvents } from "../../../core/event-log/index.ts";
import { sql } from "../../../core/sql.ts";
import { workerRemovedConsumer } from "./worker-removed.ts";

let stack: Stack;
/** Another server of the instance, which does not consume events. */
let other: Stack;
beforeAll(async () => {
  stack = await testStack({ manualLoops: true, consumers: true });
  other = await testStack({ database: stack.database, roles: ["api"] });
  // A consumer starts at the end of the log when it runs for the first time.
  await until(
    "the consumer to start",
    async () =>
      (await stack.database.db.run(sql`select from event_consumers where name = 'queue-worker-removed'`)) ===
      1,
  );
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;

/** Publishes an event as a worker-manager does. */
async function publish(exchange: "worker-stopped" | "worker-removed", body: object): Promise<void> {
  const { db } = stack.database;
  await appendEvents(db, [
    {
      exchange: `exchange/taskcluster-worker-manager/v1/${exchange}`,
      routingKey: "primary.static.test.queue.g.w._._",
      routes: [],
      payload: JSON.stringify({
        providerId: "static",
        capacity: 1,
        timestamp: new Date().toISOString(),
        ...body,
      }),
    },
  ]);
  // Committing a task wakes the readers of the log.
  await createTask(stack.client);
}
async function running(worker: { workerGroup: string; workerId: string }, retries = 5): Promise<string> {
  const taskId = await createTask(stack.client, { retries });
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}

describe("a removed worker", () => {
  it.each(["worker-stopped", "worker-removed"] as const)(
    "loses its runs immediately on %s",
    async (exchange) => {
      const worker = { workerGroup: "g", workerId: exchange };
      const ids = [await running(worker), await running(worker)];
      const last = await running(worker, 0);
      const others = [
        await running({ workerGroup: "g", workerId: "other" }),
        await running({ workerGroup: "other", workerId: exchange }),
      ];
      await publish(exchange, { workerPoolId: "test/queue", ...worker });
      for (const taskId of [...ids, last])
        await until(
          "the run to be resolved",
          async () => (await statusOf(taskId)).state !== "running" || undefined,
        );
      for (const taskId of ids) {
        expect(await statusOf(taskId)).toMatchObject({
          state: "pending",
          retriesLeft: 4,
          runs: [
            { state: "exception", reasonResolved: "worker-shutdown" },
            { state: "pending", reasonCreated: "retry" },
          ],
        });
        expect(summarize(await queueEvents(stack.database.db, { taskId })).slice(3)).toEqual([
          "task-exception 0",
          "task-pending 1",
        ]);
      }
      expect(await statusOf(last)).toMatchObject({
        state: "exception",
        runs: [{ reasonResolved: "worker-shutdown" }],
      });
      for (const taskId of others) expect((await statusOf(taskId)).state).toBe("running");
      await expect(
        stack.client.queue.reportCompleted({ taskId: ids[0] ?? "", runId: 0 }),
      ).rejects.toMatchObject({
        code: "RequestConflict",
      });
      const logged = stack.records.filter(
        (record) => record["msg"] === "task-resolved-by-worker-removed" && record["workerId"] === exchange,
      );
      expect(logged.map((record) => String(record["taskId"])).toSorted()).toEqual([...ids, last].toSorted());
    },
  );

  it("keeps runs that a new worker with the same name claimed afterwards", async () => {
    const worker = { workerGroup: "g", workerId: "again" };
    const before = await running(worker);
    await stack.database.db.run(
      sql`update runs set started = started + interval '1 hour' where task_id <> ${before}`,
    );
    const since = await running(worker);
    await stack.database.db.run(
      sql`update runs set started = started + interval '1 hour' where task_id = ${since}`,
    );
    await publish("worker-removed", { workerPoolId: "test/queue", ...worker });
    await until(
      "the run to be resolved",
      async () => (await statusOf(before)).state !== "running" || undefined,
    );
    expect((await statusOf(since)).state).toBe("running");
  });

  /** Registers a worker in a pool of its own, which claims a task. */
  async function selfWorker(workerPoolId: string) {
    const { register } = await selfPool(stack, workerPoolId);
    const { credentials, secret } = await register("w");
    const taskId = await createTask(stack.client, { taskQueueId: workerPoolId });
    const { tasks } = await stack
      .as(credentials)
      .queue.claimWork({ taskQueueId: workerPoolId }, { workerGroup: "g", workerId: "w", tasks: 1 });
    const [task] = tasks;
    if (task === undefined) throw new Error("the worker claimed no task");
    const run = async () => (await stack.client.queue.status({ taskId })).status.runs[0];
    return { worker: { workerPoolId, workerGroup: "g", workerId: "w" }, register, secret, task, run };
  }
  const ended = { state: "exception", reasonResolved: "worker-shutdown" };

  it("of the provider self loses its runs within a second of its removal by another server", async () => {
    const { worker, run } = await selfWorker("self/removed");
    expect(await run()).toMatchObject({ state: "running" });
    const removed = performance.now();
    await other.client.workerManager.removeWorker(worker);
    await until("the run to end", async () => (await run())?.state === "exception" || undefined);
    expect(performance.now() - removed).toBeLessThan(1000);
    expect(await run()).toMatchObject(ended);
  });

  it("of the provider self loses its runs when it falls silent", async () => {
    const { worker, run } = await selfWorker("self/silent-runs");
    await stack.database.db.run(sql`
      update pool_workers set expires = now() - interval '1 second' where worker_pool_id = ${worker.workerPoolId}`);
    await stack.runLoop("silent-workers");
    await until("the run to end", async () => (await run())?.state === "exception" || undefined);
    expect(await run()).toMatchObject(ended);
  });

  it("of the provider self goes on with its runs if a reply of reregisterWorker is lost", async () => {
    const { worker, register, secret, task, run } = await selfWorker("self/lost-reply");
    // Its new secret does not arrive.
    await stack.client.workerManager.reregisterWorker({ ...worker, secret });
    await expect(stack.client.workerManager.reregisterWorker({ ...worker, secret })).rejects.toMatchObject({
      message: expect.stringContaining("use registerWorker to register the worker again"),
    });
    const again = await register("w");
    expect(await run()).toMatchObject({ state: "running" });
    const { runId, status } = task;
    await stack.as(task.credentials).queue.reclaimTask({ taskId: status.taskId, runId });
    await stack.as(task.credentials).queue.reportCompleted({ taskId: status.taskId, runId });
    expect(await run()).toMatchObject({ state: "completed" });
    expect(
      await stack.as(again.credentials).workerManager.reregisterWorker({ ...worker, secret: again.secret }),
    ).toMatchObject({ credentials: { clientId: again.credentials.clientId } });
  });

  it("must be named by the event, which otherwise becomes a dead letter with that error", async () => {
    const { monitor } = testMonitor();
    const ctx = { db: stack.database.db, monitor };
    const { handle } = workerRemovedConsumer(ctx, () => expect.fail("a run was resolved"));
    const payload = JSON.stringify({ workerPoolId: "test/queue", workerGroup: "g" });
    const exchange = "exchange/taskcluster-worker-manager/v1/worker-removed";
    const event = { id: 1, exchange, routingKey: "", routes: [], payload, recorded: new Date() };
    await expect(handle([event], new AbortController().signal)).rejects.toThrow(
      `an event of ${exchange} is not valid: message must have required properties workerId`,
    );
  });
});
