// Two server processes share a database: what is committed through one wakes whoever waits at the other.
import { expect, onTestFinished, test } from "vitest";
import { queueEvents } from "../../src/client/index.ts";
import { testDatabase } from "../support/db.ts";
import { claimOne, createTask } from "../support/factories.ts";
import { startServe } from "../support/process.ts";
import { whenSent } from "./requests-on-their-way.ts";

/** Two servers that find out about each other by signals alone: their polls come when the test is long over. */
async function startTwo() {
  const database = await testDatabase();
  onTestFinished(database.drop);
  const env = { TASKYARD_QUEUE_LOOP_INTERVAL: "1h", TASKYARD_EVENTS_POLL_INTERVAL: "1h" };
  const [one, other] = await Promise.all([startServe(database.url, env), startServe(database.url, env)]);
  return [one.client, other.client] as const;
}

const rounds = 30;
const middle = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;

test("a claimer that waits at one server has a task that another made pending within milliseconds", async () => {
  const [here, there] = await startTwo();
  const created: number[] = [];
  const released: number[] = [];
  /** How long after what `act` does a claimer that waited before it has work. */
  async function timeToWake(act: () => Promise<unknown>): Promise<{ taskId: string; ms: number }> {
    let claim: ReturnType<typeof claimOne> | undefined;
    await whenSent(1, "/claim-work/", () => void (claim = claimOne(here)));
    // Answered after the claimer has begun to wait.
    await here.queue.ping();
    const began = performance.now();
    await act();
    const { taskId } = (await claim)?.status ?? { taskId: "" };
    return { taskId, ms: performance.now() - began };
  }
  for (let round = 0; round < rounds; round++) {
    const first = await timeToWake(() => createTask(there));
    created.push(first.ms);
    await createTask(there, { dependencies: [first.taskId] });
    const second = await timeToWake(() => there.queue.reportCompleted({ taskId: first.taskId, runId: 0 }));
    released.push(second.ms);
  }
  // 5 to 10 ms on a quiet machine. A poll in place of the signal would take an hour.
  expect(middle(created)).toBeLessThan(1_000);
  expect(middle(released)).toBeLessThan(1_000);
});

test("a listener at one server hears of what happens at another, in order", async () => {
  const [here, there] = await startTwo();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const bindings = [queueEvents.taskDefined(), queueEvents.taskPending(), queueEvents.taskRunning()];
  const events = await here.events.listen(bindings, { signal: stop.signal });
  const taskId = await createTask(there);
  await claimOne(there);
  const heard: string[] = [];
  for await (const { exchange, payload } of events) {
    expect(payload.status.taskId).toBe(taskId);
    if (heard.push(exchange.split("/").at(-1) ?? "") === 3) break;
  }
  expect(heard).toEqual(["task-defined", "task-pending", "task-running"]);
});
