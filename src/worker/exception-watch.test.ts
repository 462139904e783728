import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import type { ManualClock } from "../../test/support/clock.ts";
import { startFakeQueue } from "../../test/support/fake-queue.ts";
import type { FakeQueue, FakeQueueOptions } from "../../test/support/fake-queue.ts";
import { eventually } from "../../test/support/until.ts";
import { connect } from "../client/connect.ts";
import { slugid } from "../lib/slugid.ts";
import { watchExceptions } from "./exception-watch.ts";
import type { ExceptionWatch } from "./exception-watch.ts";
import { logMonitor } from "./worker-monitor.ts";
import type { Fields } from "./worker-monitor.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
let clock: ManualClock;
let queue: FakeQueue;
let watch: ExceptionWatch;
beforeEach(() => {
  clock = manualClock();
});
afterEach(async () => {
  await watch.stop();
  await queue.close();
});

/** The number of connections that failed or were lost without a warning. */
let breaks = 0;
let warnings: [message: string, fields: Fields][] = [];

async function start(options: FakeQueueOptions = {}): Promise<void> {
  breaks = 0;
  warnings = [];
  queue = await startFakeQueue(options);
  const credentials = { clientId: "worker-client", accessToken: "secret" };
  watch = watchExceptions({
    events: connect({ rootUrl: queue.rootUrl, credentials, clock }).events,
    workerGroup: "g",
    workerId: "w",
    clock,
    monitor: logMonitor({
      ...silent,
      debug: () => void breaks++,
      warn: (fields, message) => void warnings.push([message, fields]),
    }),
    pollMs: 2000,
  });
}

describe("watching for exceptions", () => {
  test("notifies the listeners of a task as soon as its event arrives", async () => {
    await start();
    const [mine, other] = [vi.fn<() => void>(), vi.fn<() => void>()];
    const [taskId, otherId] = [queue.submit({}), queue.submit({})];
    watch.onException(taskId, mine);
    watch.onException(otherId, other);
    // Each new connection notifies every listener: earlier events are not sent again.
    await eventually(() => expect([mine, other].map((hint) => hint.mock.calls.length)).toEqual([1, 1]));
    queue.end(taskId, "canceled");
    await eventually(() => expect(mine).toHaveBeenCalledTimes(2));
    expect(other).toHaveBeenCalledTimes(1);
  });

  test("notifies of events that arrived while the reply to the claim was in flight", async () => {
    await start();
    const [first, early, late] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    const [firstId, earlyId, lateId] = [queue.submit({}), queue.submit({}), queue.submit({})];
    watch.onException(firstId, first);
    await eventually(() => expect(first).toHaveBeenCalledTimes(1));
    // The connection is new: an event may have been missed just before it.
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

  test("requests the events of its own runs only, signed with the worker's credentials", async () => {
    await start();
    await queue.until(() => queue.count("events") === 1);
    const [call] = queue.calls;
    const { searchParams } = new URL(call?.path ?? "", queue.rootUrl);
    expect(JSON.parse(searchParams.get("bindings") ?? "")).toEqual({
      bindings: [
        {
          exchange: "exchange/taskcluster-queue/v1/task-exception",
          routingKeyPattern: "primary.*.*.g.w.*.*.*.*.#",
        },
      ],
    });
    expect(call?.authorization).toMatch(/^Hawk id="worker-client"/);
  });

  test("notifies regularly while there is no stream, and not while there is one", async () => {
    await start();
    queue.inject("events", 404);
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    await eventually(() => expect(breaks).toBe(1));
    await clock.advance(300);
    expect(hint).not.toHaveBeenCalled();
    // The first backoff is half a second, give or take a quarter; then the stream is connected.
    await clock.advance(400);
    await eventually(() => expect(hint).toHaveBeenCalledTimes(1));
    await clock.advance(20_000);
    expect(hint).toHaveBeenCalledTimes(1);
  });

  test("falls back to regular notifications if the server has no events", async () => {
    await start({ events: false });
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    for (let polls = 1; polls <= 3; polls++) {
      await clock.advance(2000);
      expect(hint).toHaveBeenCalledTimes(polls);
    }
    expect(warnings).toEqual([]);
  });

  test.each([401, 403])(
    "warns once about refusals with status %i, and notifies regularly",
    async (status) => {
      await start();
      queue.inject("events", ...Array<number>(20).fill(status));
      const hint = vi.fn<() => void>();
      watch.onException("task", hint);
      await eventually(async () => {
        await clock.advance(2000);
        expect(queue.count("events")).toBeGreaterThan(3);
      });
      hint.mockClear();
      await clock.advance(2000);
      expect(hint).toHaveBeenCalledTimes(1);
      expect(warnings).toEqual([
        [
          "the server refuses the stream of events; polling for canceled tasks instead",
          { reason: "injected fault", requiredScope: "events:listen", pollMs: 2000 },
        ],
      ]);
      expect(breaks).toBe(0);
    },
  );

  test("gives up an inactive stream and opens another", async () => {
    await start();
    await queue.until(() => queue.count("events") === 1);
    const hint = vi.fn<() => void>();
    watch.onException("task", hint);
    await eventually(async () => {
      await clock.advance(30_000);
      expect(queue.count("events")).toBeGreaterThan(1);
    });
  });

  test("does not notify a listener after it was removed", async () => {
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
