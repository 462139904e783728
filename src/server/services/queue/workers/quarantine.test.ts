// Quarantine over HTTP, and its effect on waiting, new and concurrent claims.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { claimOne } from "../claims/store/claim-one.ts";

const DAY = 86_400_000;
let stack: Stack;
let other: Stack;
beforeAll(async () => {
  const config = { queue: { claimWorkTimeout: 300 } };
  stack = await testStack({ roles: ["api"], config });
  other = await testStack({ roles: ["api"], config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

let queues = 0;
const newQueue = () => ({ provisionerId: "test", workerType: `q-${++queues}` });
type Queue = ReturnType<typeof newQueue>;
const idOf = ({ provisionerId, workerType }: Queue): string => `${provisionerId}/${workerType}`;
const fromNow = (ms: number): string => new Date(Date.now() + ms).toISOString();
const me = { workerGroup: "g", workerId: "w" };

const requestWork = async (queue: Queue, { claimId, on = stack }: { claimId?: string; on?: Stack } = {}) =>
  (
    await on.client.queue.claimWork(
      { taskQueueId: idOf(queue) },
      { ...me, tasks: 1, ...(claimId !== undefined && { claimId }) },
    )
  ).tasks.map(({ status }) => status.taskId);
const add = (queue: Queue) => createTask(stack.client, { taskQueueId: idOf(queue) });
const quarantine = (queue: Queue, ms: number, options: { quarantineInfo?: string } = {}, on = stack) =>
  on.client.queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil: fromNow(ms), ...options });

/** Returns a queue whose worker is known and has no tasks. */
async function queueWithWorker(): Promise<Queue> {
  const queue = newQueue();
  await stack.client.queue.declareWorker({ ...queue, ...me }, { expires: fromNow(DAY) });
  return queue;
}

describe("quarantineWorker", () => {
  it("returns its end, and the history of its changes with client, time and reason", async () => {
    const queue = await queueWithWorker();
    const quarantineUntil = fromNow(3 * DAY);
    const params = { ...queue, ...me };
    const quarantined = await stack.client.queue.quarantineWorker(params, {
      quarantineUntil,
      quarantineInfo: 'it "burns"\u0000',
    });
    expect(quarantined).toMatchObject({
      ...queue,
      ...me,
      quarantineUntil,
      quarantineDetails: [
        {
          clientId: "static/taskcluster/root",
          quarantineUntil,
          quarantineInfo: 'it "burns"\u0000',
          updatedAt: expect.any(String),
        },
      ],
    });
    expect(await stack.client.queue.getWorker(params)).toEqual(quarantined);
    const released = await quarantine(queue, -1);
    expect(Date.parse(released.quarantineUntil ?? "")).toBeLessThan(Date.now());
    expect(released.quarantineDetails?.map(({ quarantineInfo }) => quarantineInfo)).toEqual([
      'it "burns"\u0000',
      "[unspecified]",
    ]);
    expect(stack.records).toContainEqual(
      expect.objectContaining({ msg: "the quarantine of a worker was set", quarantineUntil, workerId: "w" }),
    );
  });

  it("keeps the worker known for a day at least", async () => {
    const queue = newQueue();
    await stack.client.queue.declareWorker({ ...queue, ...me }, { expires: fromNow(60_000) });
    const { expires } = await quarantine(queue, 1000);
    expect(Date.parse(expires)).toBeGreaterThan(Date.now() + DAY - 60_000);
    const longer = fromNow(2 * DAY);
    await stack.client.queue.declareWorker({ ...queue, ...me }, { expires: longer });
    expect((await quarantine(queue, 1000)).expires).toBe(longer);
  });

  it("keeps the last hundred entries", async () => {
    const queue = await queueWithWorker();
    for (let n = 0; n < 103; n++) await quarantine(queue, -1, { quarantineInfo: String(n) });
    const { quarantineDetails = [] } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect(quarantineDetails.map(({ quarantineInfo }) => quarantineInfo)).toEqual(
      Array.from({ length: 100 }, (_, n) => String(n + 3)),
    );
  });

  it("accepts any valid time", async () => {
    const queue = await queueWithWorker();
    const set = (quarantineUntil: string) =>
      stack.client.queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil });
    expect((await set("9999-12-31T23:59:59.999Z")).quarantineUntil).toBe("9999-12-31T23:59:59.999Z");
    expect((await set("0001-01-01T00:00:00Z")).quarantineUntil).toBe("0001-01-01T00:00:00.000Z");
  });

  it("refuses unknown workers, and requires its scope", async () => {
    const queue = newQueue();
    await expect(quarantine(queue, DAY)).rejects.toThrow(`Worker g/w of ${idOf(queue)} does not exist`);
    const scope = `queue:quarantine-worker:${idOf(queue)}/g/w`;
    await expect(
      stack
        .limited([scope.slice(0, -1)])
        .queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil: fromNow(DAY) }),
    ).rejects.toThrow(scope);
  });

  it("called twice concurrently keeps both entries", async () => {
    const queue = await queueWithWorker();
    await Promise.all([
      quarantine(queue, DAY, { quarantineInfo: "one" }),
      quarantine(queue, DAY, { quarantineInfo: "two" }, other),
    ]);
    const { quarantineDetails = [] } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect(quarantineDetails.map(({ quarantineInfo }) => quarantineInfo).toSorted()).toEqual(["one", "two"]);
  });
});

describe("a worker in quarantine", () => {
  it("is seen, receives nothing until its timeout, and can claim again after its release", async () => {
    const queue = await queueWithWorker();
    await quarantine(queue, DAY);
    const taskId = await add(queue);
    const start = performance.now();
    expect(await requestWork(queue)).toEqual([]);
    // Timers may fire up to a millisecond early by this clock.
    expect(performance.now() - start).toBeGreaterThan(298);
    const { lastDateActive, recentTasks } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect([lastDateActive, recentTasks]).toEqual([expect.any(String), []]);
    await quarantine(queue, -1);
    expect(await requestWork(queue)).toEqual([taskId]);
  });

  it("receives an empty reply from claimTask for any run, but 404 for an unknown task", async () => {
    const queue = await queueWithWorker();
    const taskId = await add(queue);
    const claim = (id: string, runId: number) => stack.client.queue.claimTask({ taskId: id, runId }, me);
    await quarantine(queue, DAY);
    expect(await claim(taskId, 0)).toEqual({});
    expect(await claim(taskId, 7)).toEqual({});
    await expect(claim(slugid(), 0)).rejects.toThrow("does not exist");
    expect((await stack.client.queue.status({ taskId })).status.state).toBe("pending");
    await quarantine(queue, -1);
    expect(await claim(taskId, 0)).toMatchObject({ status: { taskId } });
    await quarantine(queue, DAY);
    expect(await claim(taskId, 0)).toEqual({});
  });

  it("receives nothing from claimTask if it is quarantined between the check and the claim", async () => {
    const queue = await queueWithWorker();
    const taskId = await add(queue);
    await quarantine(queue, DAY);
    const claimer = { ...me, claimId: null, tasks: 1 };
    const { db } = stack.database;
    expect(await claimOne(db, taskId, 0, claimer, fromNow(0), fromNow(DAY))).toBeUndefined();
    await quarantine(queue, -1);
    expect(await claimOne(db, taskId, 0, claimer, fromNow(0), fromNow(DAY))).toMatchObject({
      task_id: taskId,
    });
  });

  it("keeps the runs it has: it may reclaim and report them, and repeat its claim", async () => {
    const queue = await queueWithWorker();
    const claimId = slugid();
    const taskId = await add(queue);
    expect(await requestWork(queue, { claimId })).toEqual([taskId]);
    await quarantine(queue, DAY);
    expect(await requestWork(queue, { claimId })).toEqual([taskId]);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    expect((await stack.client.queue.reportCompleted({ taskId, runId: 0 })).status.state).toBe("completed");
  });

  it("that was quarantined while it waits receives no new tasks, on either server", async () => {
    const queue = await queueWithWorker();
    const waiting = [requestWork(queue), requestWork(queue, { on: other })];
    await quarantine(queue, DAY);
    const taskId = await add(queue);
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect((await stack.client.queue.status({ taskId })).status.state).toBe("pending");
  });

  it("receives nothing from claims that start after the reply to quarantineWorker, among concurrent ones", async () => {
    for (let iteration = 0; iteration < 10; iteration++) {
      const queue = await queueWithWorker();
      for (let n = 0; n < 6; n++) await add(queue);
      let isQuarantined = false;
      /** Returns the result of its last claim: the first that started after the quarantine, or an empty one before that. */
      const claimer = async (on: Stack): Promise<string[]> => {
        for (;;) {
          const isLast = isQuarantined;
          const claimed = await requestWork(queue, { on });
          if (isLast || claimed.length === 0) return claimed;
        }
      };
      const claimers = [claimer(stack), claimer(other), claimer(stack)];
      await quarantine(queue, DAY, {}, other);
      isQuarantined = true;
      expect(await Promise.all(claimers)).toEqual([[], [], []]);
    }
  });
});
