import { afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { FakeQueue, FakeQueueOptions, Fault } from "../../test/support/fake-queue.ts";
import { taskQueueId } from "../../test/support/fake-queue-state.ts";
import { eventually } from "../../test/support/until.ts";
import type { ClaimWorkRequest } from "../api/queue/claim.ts";
import { connect } from "../client/index.ts";
import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { startClaimLoop } from "./loop.ts";
import type { ClaimLoop } from "./loop.ts";
import { logMonitor } from "./worker-monitor.ts";
import type { QueueClient } from "./queue-client.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Setup {
  readonly queue: FakeQueue;
  readonly loop: ClaimLoop;
  /** The body of every claimWork request, in order. */
  readonly requests: ClaimWorkRequest[];
  /** Ids of the tasks that were started, in order. */
  readonly started: string[];
  /** Messages of the refusals that ended the loop. */
  readonly refusals: readonly string[];
  /** Ends a run. */
  finish(taskId: string): void;
}

const open: Setup[] = [];
afterEach(async () => {
  for (const { queue, loop, started, finish } of open.splice(0)) {
    await loop.stop();
    started.forEach(finish);
    await queue.close();
  }
});

async function start(
  capacity: number,
  options: FakeQueueOptions = {},
  faults: Fault[] = [],
  clock: Clock = systemClock,
) {
  const queue = await startFakeQueue(options);
  queue.inject("claimWork", ...faults);
  const client = connect({ rootUrl: queue.rootUrl, credentials: { clientId: "w", accessToken: "t" } }).queue;
  const requests: ClaimWorkRequest[] = [];
  const started: string[] = [];
  const refusals: string[] = [];
  const ends = new Map<string, () => void>();
  const loop = startClaimLoop({
    queue: {
      ...client,
      claimWork: (params, body, more) => (requests.push(body), client.claimWork(params, body, more)),
    } satisfies QueueClient,
    taskQueueId,
    workerGroup: "g",
    workerId: "w",
    capacity,
    clock,
    monitor: logMonitor(silent),
    start(claim) {
      started.push(claim.status.taskId);
      return new Promise<void>((resolve) => ends.set(claim.status.taskId, resolve));
    },
    onRefused: ({ message }) => refusals.push(message),
  });
  const setup: Setup = { queue, refusals, loop, requests, started, finish: (taskId) => ends.get(taskId)?.() };
  open.push(setup);
  return setup;
}

describe("the claim loop", () => {
  test("requests as many tasks as it has free slots, and again when a slot becomes free", async () => {
    const { queue, requests, started, finish } = await start(2);
    const [a, b, c] = [queue.submit({}), queue.submit({}), queue.submit({})];
    await eventually(() => expect(started).toEqual([a, b]));
    const before = requests.length;
    finish(a);
    await eventually(() => expect(started).toEqual([a, b, c]));
    expect(requests.slice(before).map(({ tasks }) => tasks)).toEqual([1]);
  });

  test("never requests more tasks than the queue returns in one reply", async () => {
    const { queue, requests } = await start(100);
    await queue.until(() => requests.length === 1);
    expect(requests[0]?.tasks).toBe(32);
  });

  test("repeats a claim whose reply was lost, and gets the same run", async () => {
    const { queue, requests, started } = await start(1, {}, ["lose-reply", 503]);
    const taskId = queue.submit({});
    await eventually(() => expect(started).toEqual([taskId]));
    expect(requests.length).toBe(3);
    expect(new Set(requests.map(({ claimId }) => claimId)).size).toBe(1);
  });

  test("uses a new claim id after each reply", async () => {
    const { queue, requests, started, finish } = await start(1);
    queue.submit({});
    await eventually(() => expect(started.length).toBe(1));
    finish(started[0] ?? "");
    queue.submit({});
    await eventually(() => expect(started.length).toBe(2));
    expect(requests[0]?.claimId).not.toBe(requests[1]?.claimId);
  });

  test("omits claim ids where the queue does not support them", async () => {
    const { queue, requests, started } = await start(1, { claimIds: false });
    const taskId = queue.submit({});
    await eventually(() => expect(started).toEqual([taskId]));
    expect(requests.map(({ claimId }) => claimId === undefined)).toEqual([false, true]);
  });

  test("waits between polls where the queue replies immediately with no task", async () => {
    const clock = manualClock();
    const { queue } = await start(1, { pollMs: 0 }, [], clock);
    await eventually(() => expect(clock.pending()).toBe(1));
    await clock.advance(999);
    expect(queue.count("claimWork")).toBe(1);
    await clock.advance(1);
    await eventually(() => expect(queue.count("claimWork")).toBe(2));
    await clock.advance(0);
  });

  test("stops immediately while it waits for work", async () => {
    // The queue would reply long after the end of the test.
    const { queue, loop, started } = await start(1, { pollMs: 3_600_000 });
    await queue.until(() => queue.count("claimWork") === 1);
    await loop.stop();
    queue.submit({});
    expect(started).toEqual([]);
  });

  test("starts the runs of a claim whose reply was lost, even while it stops", async () => {
    const { queue, loop, started, requests } = await start(1, {}, ["lose-reply"]);
    const taskId = queue.submit({});
    await queue.until(() => queue.status(taskId).state === "running");
    await loop.stop();
    expect(started).toEqual([taskId]);
    expect(requests.map(({ claimId }) => claimId)).toEqual([requests[0]?.claimId, requests[0]?.claimId]);
  });

  test("stops while all slots are in use", async () => {
    const { queue, loop, started } = await start(1);
    queue.submit({});
    await eventually(() => expect(started.length).toBe(1));
    await loop.stop();
  });

  test.each([401, 403])(
    "ends without another request if the queue refuses its credentials with %i",
    async (status) => {
      const { loop, requests, refusals } = await start(1, {}, [status]);
      await eventually(() => expect(refusals).toHaveLength(1));
      await loop.stop();
      expect(requests).toHaveLength(1);
    },
  );
});
