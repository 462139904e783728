// Quarantine over HTTP, and against claims that wait, come or are under way.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { claimOne } from "../claims/store.ts";

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

const ask = async (queue: Queue, { claimId, on = stack }: { claimId?: string; on?: Stack } = {}) =>
  (
    await on.client.queue.claimWork(
      { taskQueueId: idOf(queue) },
      { ...me, tasks: 1, ...(claimId !== undefined && { claimId }) },
    )
  ).tasks.map(({ status }) => status.taskId);
const add = (queue: Queue) => createTask(stack.client, { taskQueueId: idOf(queue) });
const quarantine = (queue: Queue, ms: number, more: { quarantineInfo?: string } = {}, on = stack) =>
  on.client.queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil: fromNow(ms), ...more });

/** A queue whose worker is known and has nothing. */
async function knownWorker(): Promise<Queue> {
  const queue = newQueue();
  await stack.client.queue.declareWorker({ ...queue, ...me }, { expires: fromNow(DAY) });
  return queue;
}

describe("quarantineWorker", () => {
  it("tells until when, and keeps who set it when and why, the latest last", async () => {
    const queue = await knownWorker();
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
    expect(released.quarantineUntil).toBeUndefined();
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
    const queue = await knownWorker();
    for (let n = 0; n < 103; n++) await quarantine(queue, -1, { quarantineInfo: String(n) });
    const { quarantineDetails = [] } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect(quarantineDetails.map(({ quarantineInfo }) => quarantineInfo)).toEqual(
      Array.from({ length: 100 }, (_, n) => String(n + 3)),
    );
  });

  it("takes any time there can be", async () => {
    const queue = await knownWorker();
    const set = (quarantineUntil: string) =>
      stack.client.queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil });
    expect((await set("9999-12-31T23:59:59.999Z")).quarantineUntil).toBe("9999-12-31T23:59:59.999Z");
    expect((await set("0001-01-01T00:00:00Z")).quarantineUntil).toBeUndefined();
  });

  it("does not know workers that nobody saw, and needs its scope", async () => {
    const queue = newQueue();
    await expect(quarantine(queue, DAY)).rejects.toThrow(`Worker g/w of ${idOf(queue)} does not exist`);
    const scope = `queue:quarantine-worker:${idOf(queue)}/g/w`;
    await expect(
      stack
        .limited([scope.slice(0, -1)])
        .queue.quarantineWorker({ ...queue, ...me }, { quarantineUntil: fromNow(DAY) }),
    ).rejects.toThrow(scope);
  });

  it("called by two at once keeps what both said", async () => {
    const queue = await knownWorker();
    await Promise.all([
      quarantine(queue, DAY, { quarantineInfo: "one" }),
      quarantine(queue, DAY, { quarantineInfo: "two" }, other),
    ]);
    const { quarantineDetails = [] } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect(quarantineDetails.map(({ quarantineInfo }) => quarantineInfo).toSorted()).toEqual(["one", "two"]);
  });
});

describe("a worker in quarantine", () => {
  it("is seen, waits in vain, and leaves the task to others until it is let go", async () => {
    const queue = await knownWorker();
    await quarantine(queue, DAY);
    const taskId = await add(queue);
    const began = performance.now();
    expect(await ask(queue)).toEqual([]);
    // Timers may fire up to a millisecond early by this clock.
    expect(performance.now() - began).toBeGreaterThan(298);
    const { lastDateActive, recentTasks } = await stack.client.queue.getWorker({ ...queue, ...me });
    expect([lastDateActive, recentTasks]).toEqual([expect.any(String), []]);
    await quarantine(queue, -1);
    expect(await ask(queue)).toEqual([taskId]);
  });

  it("is told nothing by claimTask, whatever the run, but 404 and scopes come first", async () => {
    const queue = await knownWorker();
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

  it("gets nothing by claimTask where the quarantine comes between the look at it and the claim", async () => {
    const queue = await knownWorker();
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

  it("keeps what it holds: it may go on with it, resolve it, and repeat the claim that brought it", async () => {
    const queue = await knownWorker();
    const claimId = slugid();
    const taskId = await add(queue);
    expect(await ask(queue, { claimId })).toEqual([taskId]);
    await quarantine(queue, DAY);
    expect(await ask(queue, { claimId })).toEqual([taskId]);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    expect((await stack.client.queue.reportCompleted({ taskId, runId: 0 })).status.state).toBe("completed");
  });

  it("since it waits gets nothing of what comes then, on whichever server it waits", async () => {
    const queue = await knownWorker();
    const waiting = [ask(queue), ask(queue, { on: other })];
    await quarantine(queue, DAY);
    const taskId = await add(queue);
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect((await stack.client.queue.status({ taskId })).status.state).toBe("pending");
  });

  it("gets nothing by a claim that begins after its quarantine was answered, in the middle of a crowd", async () => {
    for (let round = 0; round < 10; round++) {
      const queue = await knownWorker();
      for (let n = 0; n < 6; n++) await add(queue);
      let isQuarantined = false;
      /** What its last claim got: the first that began after the quarantine, or one before that found nothing. */
      const claimer = async (on: Stack): Promise<string[]> => {
        for (;;) {
          const isLast = isQuarantined;
          const got = await ask(queue, { on });
          if (isLast || got.length === 0) return got;
        }
      };
      const crowd = [claimer(stack), claimer(other), claimer(stack)];
      await quarantine(queue, DAY, {}, other);
      isQuarantined = true;
      expect(await Promise.all(crowd)).toEqual([[], [], []]);
    }
  });
});
