// Two server processes share a database: a commit by one wakes the waiters of the other.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { queueEvents, type Client } from "../../src/client/index.ts";
import { testDatabase } from "../support/db.ts";
import { claimOne, createTask } from "../support/factories.ts";
import { startServe } from "../support/process.ts";
import { whenSent } from "./requests-in-flight.ts";

let here: Client;
let there: Client;
const cleanups: (() => Promise<void>)[] = [];
const onCleanup = (cleanup: () => Promise<void>): void => void cleanups.unshift(cleanup);
beforeAll(async () => {
  const database = await testDatabase();
  onCleanup(database.drop);
  // The servers notice each other only by notifications: their poll intervals exceed the test's duration.
  const env = { TASKYARD_QUEUE_LOOP_INTERVAL: "1h", TASKYARD_EVENTS_POLL_INTERVAL: "1h" };
  const start = () => startServe(database.url, env, onCleanup);
  [{ client: here }, { client: there }] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  for (const cleanUp of cleanups) await cleanUp();
});

const repetitions = 30;
const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;

test("a claim that waits at one server gets a task that becomes pending through another within milliseconds", async () => {
  const created: number[] = [];
  const released: number[] = [];
  /** Returns the time from `act` until a claim that was waiting before it gets a task. */
  async function timeToWake(act: () => Promise<unknown>): Promise<{ taskId: string; ms: number }> {
    let claim: ReturnType<typeof claimOne> | undefined;
    await whenSent(1, "/claim-work/", () => void (claim = claimOne(here)));
    // The reply comes after the claim has begun to wait.
    await here.queue.ping();
    const start = performance.now();
    await act();
    const { taskId } = (await claim)?.status ?? { taskId: "" };
    return { taskId, ms: performance.now() - start };
  }
  for (let i = 0; i < repetitions; i++) {
    const first = await timeToWake(() => createTask(there));
    created.push(first.ms);
    await createTask(there, { dependencies: [first.taskId] });
    const second = await timeToWake(() => there.queue.reportCompleted({ taskId: first.taskId, runId: 0 }));
    released.push(second.ms);
  }
  // 5 to 10 ms on an idle machine. With polling instead of the notification it would take an hour.
  expect(median(created)).toBeLessThan(1_000);
  expect(median(released)).toBeLessThan(1_000);
});

test("a listener at one server receives the events of another, in order", async () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const bindings = [queueEvents.taskDefined(), queueEvents.taskPending(), queueEvents.taskRunning()];
  const events = await here.events.listen(bindings, { signal: stop.signal });
  const taskId = await createTask(there);
  await claimOne(there);
  const received: string[] = [];
  for await (const { exchange, payload } of events) {
    expect(payload.status.taskId).toBe(taskId);
    if (received.push(exchange.split("/").at(-1) ?? "") === 3) break;
  }
  expect(received).toEqual(["task-defined", "task-pending", "task-running"]);
});
