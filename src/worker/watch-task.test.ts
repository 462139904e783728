import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import type { ManualClock } from "../../test/support/clock.ts";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { FakeQueue, FakeQueueOptions } from "../../test/support/fake-queue.ts";
import { eventually } from "../../test/support/until.ts";
import { slugid } from "../lib/slugid.ts";
import { logMonitor } from "./monitor.ts";
import { watchTasks } from "./watch-task.ts";
import type { TaskWatch } from "./watch-task.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
let clock: ManualClock;
let queue: FakeQueue;
let watch: TaskWatch;
beforeEach(() => {
  clock = manualClock();
});
afterEach(async () => {
  await watch.stop();
  await queue.close();
});

/** How often there was no stream, or none any more. */
let breaks = 0;

async function start(options: FakeQueueOptions = {}): Promise<void> {
  breaks = 0;
  queue = await startFakeQueue(options);
  watch = watchTasks({
    rootUrl: queue.rootUrl,
    workerGroup: "g",
    workerId: "w",
    clock,
    monitor: logMonitor({ ...silent, debug: () => void breaks++ }),
    pollMs: 2000,
  });
}

describe("watching tasks", () => {
  test("hints at an event at once, to those that it is about", async () => {
    await start();
    const [mine, other] = [vi.fn<() => void>(), vi.fn<() => void>()];
    const [taskId, otherId] = [queue.submit({}), queue.submit({})];
    watch.onException(taskId, mine);
    watch.onException(otherId, other);
    // The stream's beginning is a hint to all: what happened before it is not sent again.
    await eventually(() => expect([mine, other].map((hint) => hint.mock.calls.length)).toEqual([1, 1]));
    queue.end(taskId, "canceled");
    await eventually(() => expect(mine).toHaveBeenCalledTimes(2));
    expect(other).toHaveBeenCalledTimes(1);
  });

  test("hints at what happened while the reply to the claim was on its way", async () => {
    await start();
    const [first, early, late] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    const [firstId, earlyId, lateId] = [queue.submit({}), queue.submit({}), queue.submit({})];
    watch.onException(firstId, first);
    await eventually(() => expect(first).toHaveBeenCalledTimes(1));
    // The stream has only begun: what it did not tell may have happened just before.
    watch.onException(slugid(), early);
    expect(early).toHaveBeenCalledTimes(1);

    await clock.advance(60_000);
    queue.end(earlyId, "canceled");
    queue.end(firstId, "canceled");
    await eventually(() => expect(first).toHaveBeenCalledTimes(2));
    watch.onException(lateId, late);
    expect(late).not.toHaveBeenCalled();
    watch.onException(earlyId, late);
    expect(late).toHaveBeenCalledTimes(1);
    watch.onException(earlyId, late);
    expect(late).toHaveBeenCalledTimes(1);
  });

  test("asks for the events of its own runs only", async () => {
    await start();
    await queue.until(() => queue.count("events") === 1);
    const { searchParams } = new URL(queue.calls[0]?.path ?? "", queue.rootUrl);
    expect(JSON.parse(searchParams.get("bindings") ?? "")).toEqual({
      bindings: [
        { exchange: "exchange/taskcluster-queue/v1/task-exception", routingKeyPattern: "primary.*.*.g.w.#" },
      ],
    });
  });

  test("hints regularly while there is no stream, and not while there is one", async () => {
    await start();
    queue.inject("events", 404);
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    await eventually(() => expect(breaks).toBe(1));
    await clock.advance(300);
    expect(hint).not.toHaveBeenCalled();
    // Half a second, more or less a quarter, is the first wait; then the stream is there.
    await clock.advance(400);
    await eventually(() => expect(hint).toHaveBeenCalledTimes(1));
    await clock.advance(20_000);
    expect(hint).toHaveBeenCalledTimes(1);
  });

  test("does with regular hints alone where the server has no events", async () => {
    await start({ events: false });
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    for (let polls = 1; polls <= 3; polls++) {
      await clock.advance(2000);
      expect(hint).toHaveBeenCalledTimes(polls);
    }
  });

  test("gives up a stream that fell silent, and finds another", async () => {
    await start();
    await queue.until(() => queue.count("events") === 1);
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    await eventually(async () => {
      await clock.advance(30_000);
      expect(queue.count("events")).toBeGreaterThan(1);
    });
  });

  test("hints no more after that was asked for", async () => {
    await start({ events: false });
    const hint = vi.fn<() => void>();
    watch.onException("task", hint)();
    await clock.advance(10_000);
    expect(hint).not.toHaveBeenCalled();
  });

  test("leaves no timer behind when it is stopped", async () => {
    await start({ events: false });
    await watch.stop();
    expect(clock.pending()).toBe(0);
  });
});
