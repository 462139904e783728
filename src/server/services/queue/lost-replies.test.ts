// A worker whose reply was lost repeats its call with the same claim id, possibly to another process: it receives the
// same runs, and no run is claimed for a lost reply.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../test/support/factories.ts";
import { twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import { untilLockWaits } from "../../../../test/support/lock-waits.ts";
import { until } from "../../../../test/support/until.ts";
import type { Client } from "../../../client/index.ts";
import { slugid } from "../../../lib/slugid.ts";
import { claimPending, QUEUE_START } from "./claims/store/claim-pending.ts";

let servers: TwoServers;
beforeAll(async () => {
  servers = await twoServers({ queue: {} });
});
afterAll(() => servers.stop());

let queues = 0;
const newQueue = (): string => `lost/q${queues++}`;
const worker = { workerGroup: "g", workerId: "w" };
const claim = async (
  client: Client,
  taskQueueId: string,
  claimId: string,
  signal?: AbortSignal,
): Promise<string[]> => {
  const body = { ...worker, tasks: 1, claimId };
  const { tasks } = await client.queue.claimWork({ taskQueueId }, body, signal && { signal });
  return tasks.map(({ status }) => status.taskId);
};
const isRunning = async (taskId: string): Promise<boolean> =>
  (await servers.stack.client.queue.status({ taskId })).status.state === "running";

describe("a lost reply", () => {
  it.each(["the same process", "another process"])("is repeated by %s", async (repeatedBy) => {
    const { stack, other } = servers;
    const repeatClient = repeatedBy === "the same process" ? stack.client : other.client;
    const [taskQueueId, claimId] = [newQueue(), slugid()];
    const ids = [
      await createTask(stack.client, { taskQueueId, priority: "high" }),
      await createTask(stack.client, { taskQueueId }),
    ];
    const connection = new AbortController();
    const lost = claim(stack.client, taskQueueId, claimId, connection.signal).then(
      () => "received",
      () => "lost",
    );
    await until("the claim to be committed", () => isRunning(ids[0] ?? ""));
    connection.abort();
    await lost;
    expect(await claim(repeatClient, taskQueueId, claimId)).toEqual(ids.slice(0, 1));
    expect(await isRunning(ids[1] ?? "")).toBe(false);
  });

  it("is awaited if its claim is in flight in another process", async () => {
    const { stack, other } = servers;
    const [taskQueueId, claimId] = [newQueue(), slugid()];
    const ids = [
      await createTask(stack.client, { taskQueueId, priority: "high" }),
      await createTask(stack.client, { taskQueueId }),
    ];
    let repeated: Promise<string[]> = Promise.resolve([]);
    await stack.database.db.tx(async (tx) => {
      const [at, takenUntil] = [new Date().toISOString(), new Date(Date.now() + 60_000).toISOString()];
      const { runs } = await claimPending(
        tx,
        taskQueueId,
        [{ ...worker, tasks: 1, claimId }],
        QUEUE_START,
        at,
        takenUntil,
      );
      expect(runs.map((row) => row.task_id)).toEqual(ids.slice(0, 1));
      repeated = claim(other.client, taskQueueId, claimId);
      await untilLockWaits(stack.database.db);
    });
    expect(await repeated).toEqual(ids.slice(0, 1));
    expect(await isRunning(ids[1] ?? "")).toBe(false);
  });

  it("of a call that still waits leaves the work to the next call", async () => {
    const { stack, other } = servers;
    const [taskQueueId, claimId] = [newQueue(), slugid()];
    const connection = new AbortController();
    const lost = claim(stack.client, taskQueueId, claimId, connection.signal).catch(() => "lost");
    await stack.client.queue.ping();
    connection.abort();
    expect(await lost).toBe("lost");
    // The server receives the end of that connection before this request.
    await stack.client.queue.ping();
    const next = claim(other.client, taskQueueId, claimId);
    const taskId = await createTask(stack.client, { taskQueueId });
    expect(await next).toEqual([taskId]);
  });

  it("does not block other claims, with or without an id", async () => {
    const { stack, other } = servers;
    const taskQueueId = newQueue();
    const ids = [
      await createTask(stack.client, { taskQueueId }),
      await createTask(stack.client, { taskQueueId }),
    ];
    await stack.database.db.tx(async (tx) => {
      const [at, takenUntil] = [new Date().toISOString(), new Date(Date.now() + 60_000).toISOString()];
      await claimPending(
        tx,
        taskQueueId,
        [{ ...worker, tasks: 1, claimId: slugid() }],
        QUEUE_START,
        at,
        takenUntil,
      );
      expect(await claim(other.client, taskQueueId, slugid())).toEqual(ids.slice(1));
    });
  });
});
