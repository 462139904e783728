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
  /** What was asked for, call by call. */
  readonly asked: ClaimWorkRequest[];
  /** Claims that were started, in order. */
  readonly started: string[];
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
  const asked: ClaimWorkRequest[] = [];
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const loop = startClaimLoop({
    queue: {
      ...client,
      claimWork: (params, body, more) => (asked.push(body), client.claimWork(params, body, more)),
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
  });
  const setup: Setup = { queue, loop, asked, started, finish: (taskId) => ends.get(taskId)?.() };
  open.push(setup);
  return setup;
}

describe("the claim loop", () => {
  test("asks for as many tasks as it has free slots, and again when one frees", async () => {
    const { queue, asked, started, finish } = await start(2);
    const [a, b, c] = [queue.submit({}), queue.submit({}), queue.submit({})];
    await eventually(() => expect(started).toEqual([a, b]));
    const before = asked.length;
    finish(a);
    await eventually(() => expect(started).toEqual([a, b, c]));
    expect(asked.slice(before).map(({ tasks }) => tasks)).toEqual([1]);
  });

  test("never asks for more than the queue gives at once", async () => {
    const { queue, asked } = await start(100);
    await queue.until(() => asked.length === 1);
    expect(asked[0]?.tasks).toBe(32);
  });

  test("repeats a claim whose reply was lost, and gets the same run", async () => {
    const { queue, asked, started } = await start(1, {}, ["lose-reply", 503]);
    const taskId = queue.submit({});
    await eventually(() => expect(started).toEqual([taskId]));
    expect(asked.length).toBe(3);
    expect(new Set(asked.map(({ claimId }) => claimId)).size).toBe(1);
  });

  test("uses a new claim id for every claim that was answered", async () => {
    const { queue, asked, started, finish } = await start(1);
    queue.submit({});
    await eventually(() => expect(started.length).toBe(1));
    finish(started[0] ?? "");
    queue.submit({});
    await eventually(() => expect(started.length).toBe(2));
    expect(asked[0]?.claimId).not.toBe(asked[1]?.claimId);
  });

  test("does without claim ids where the queue does not know them", async () => {
    const { queue, asked, started } = await start(1, { claimIds: false });
    const taskId = queue.submit({});
    await eventually(() => expect(started).toEqual([taskId]));
    expect(asked.map(({ claimId }) => claimId === undefined)).toEqual([false, true]);
  });

  test("is not hurried by a queue that answers at once that it has nothing", async () => {
    const clock = manualClock();
    const { queue } = await start(1, { pollMs: 0 }, [], clock);
    await eventually(() => expect(clock.pending()).toBe(1));
    await clock.advance(999);
    expect(queue.count("claimWork")).toBe(1);
    await clock.advance(1);
    await eventually(() => expect(queue.count("claimWork")).toBe(2));
    await clock.advance(0);
  });

  test("stops at once while it waits for work", async () => {
    // The queue answers when the test is long over.
    const { queue, loop, started } = await start(1, { pollMs: 3_600_000 });
    await queue.until(() => queue.count("claimWork") === 1);
    await loop.stop();
    queue.submit({});
    expect(started).toEqual([]);
  });

  test("starts, when it is stopped, what an unanswered call had won", async () => {
    const { queue, loop, started, asked } = await start(1, {}, ["lose-reply"]);
    const taskId = queue.submit({});
    await queue.until(() => queue.status(taskId).state === "running");
    await loop.stop();
    expect(started).toEqual([taskId]);
    expect(asked.map(({ claimId }) => claimId)).toEqual([asked[0]?.claimId, asked[0]?.claimId]);
  });

  test("stops while all slots are taken", async () => {
    const { queue, loop, started } = await start(1);
    queue.submit({});
    await eventually(() => expect(started.length).toBe(1));
    await loop.stop();
  });
});
