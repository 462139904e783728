// Counts and lists of a queue's pending and claimed tasks over HTTP. The clock moves only when a test advances it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";

const clock = manualClock();
const CLAIM = 1_200_000;
let stack: Stack;
beforeAll(async () => {
  // Without loops, so that nothing is resolved when its time has passed.
  stack = await testStack({ clock, roles: ["api"] });
});
afterAll(() => stack.stop());

let queues = 0;
const newQueue = () => `test/q-${++queues}`;
const add = (taskQueueId: string, overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, { taskQueueId, ...overrides }, clock.now());
const claim = async (taskQueueId: string, tasks = 1, workerId = "w") =>
  (await stack.client.queue.claimWork({ taskQueueId }, { workerGroup: "g", workerId, tasks })).tasks.map(
    ({ status }) => status.taskId,
  );
const counts = async (taskQueueId: string) => {
  const { pendingTasks, claimedTasks } = await stack.client.queue.taskQueueCounts({ taskQueueId });
  return [pendingTasks, claimedTasks];
};
const inMs = (ms: number) => new Date(clock.now() + ms).toISOString();

async function pagesOf(
  list: "listPendingTasks" | "listClaimedTasks",
  taskQueueId: string,
  limit: number,
  between?: (page: number) => Promise<unknown>,
): Promise<string[][]> {
  const pages: string[][] = [];
  let token: string | undefined;
  do {
    const query = { limit: String(limit), ...(token !== undefined && { continuationToken: token }) };
    const page = await stack.client.queue[list]({ taskQueueId }, { query });
    pages.push(page.tasks.map((task) => task.taskId));
    await between?.(pages.length);
    token = page.continuationToken;
  } while (token !== undefined);
  return pages;
}

describe("counts", () => {
  it("are of pending and claimed tasks, with the queue's id and its halves", async () => {
    const queue = newQueue();
    for (let n = 0; n < 5; n++) await add(queue, { priority: n % 2 === 0 ? "high" : "low" });
    await add(queue, { dependencies: [await add(newQueue())] });
    await claim(queue, 2);
    const [provisionerId, workerType] = queue.split("/");
    const ids = { taskQueueId: queue, provisionerId, workerType };
    expect(await stack.client.queue.taskQueueCounts({ taskQueueId: queue })).toEqual({
      ...ids,
      pendingTasks: 3,
      claimedTasks: 2,
    });
    expect(await stack.client.queue.pendingTasks({ taskQueueId: queue })).toEqual({
      ...ids,
      pendingTasks: 3,
    });
    const [taskId = ""] = await claim(queue);
    expect(await counts(queue)).toEqual([2, 3]);
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    expect(await counts(queue)).toEqual([2, 2]);
  });

  it("are zero for an unknown queue", async () => {
    expect(await counts("unknown/queue")).toEqual([0, 0]);
    expect(await stack.client.queue.listPendingTasks({ taskQueueId: "unknown/queue" })).toEqual({
      tasks: [],
    });
    expect(await stack.client.queue.listClaimedTasks({ taskQueueId: "unknown/queue" })).toEqual({
      tasks: [],
    });
  });

  it("are correct for each of many concurrent callers", async () => {
    const sizes = [0, 1, 2, 3];
    const ids = sizes.map(() => newQueue());
    for (const [i, size] of sizes.entries()) for (let n = 0; n < size; n++) await add(ids[i] ?? "");
    const requested = Array.from({ length: 60 }, (_, i) => i % 4);
    const replies = await Promise.all(requested.map((i) => counts(ids[i] ?? "")));
    expect(replies).toEqual(requested.map((i) => [i, 0]));
  });

  it("and lists omit tasks past their deadline and expired claims", async () => {
    const queue = newQueue();
    await add(queue, { deadline: inMs(1000) });
    const current = await add(queue);
    await add(queue, { priority: "highest", deadline: inMs(1000) });
    expect(await counts(queue)).toEqual([3, 0]);
    await clock.advance(1000);
    expect(await counts(queue)).toEqual([1, 0]);
    expect(await pagesOf("listPendingTasks", queue, 10)).toEqual([[current]]);
    expect(await claim(queue)).toEqual([current]);
    await clock.advance(CLAIM - 1);
    expect(await counts(queue)).toEqual([0, 1]);
    await clock.advance(1);
    expect(await counts(queue)).toEqual([0, 0]);
    expect(await pagesOf("listClaimedTasks", queue, 10)).toEqual([[]]);
  });
});

describe("the list of pending tasks", () => {
  it("is in the order in which they became pending, with their definitions", async () => {
    const queue = newQueue();
    const ids = [];
    for (const priority of ["low", "highest", "lowest", "low"] as const) {
      ids.push(await add(queue, { priority }));
      await clock.advance(10);
    }
    const { tasks } = await stack.client.queue.listPendingTasks({ taskQueueId: queue });
    expect(tasks.map(({ taskId }) => taskId)).toEqual(ids);
    const [first] = tasks;
    expect(first).toEqual({
      taskId: ids[0],
      runId: 0,
      inserted: inMs(-40),
      task: await stack.client.queue.task({ taskId: ids[0] ?? "" }),
    });
  });

  it("has a retried task with its latest run", async () => {
    const queue = newQueue();
    const taskId = await add(queue);
    await claim(queue);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
    expect((await stack.client.queue.listPendingTasks({ taskQueueId: queue })).tasks).toMatchObject([
      { taskId, runId: 1 },
    ]);
  });

  it("in pages of one contains each task once while others are added, canceled and reprioritized", async () => {
    const queue = newQueue();
    const ids: string[] = [];
    for (let n = 0; n < 6; n++)
      ids.push(await add(queue, { priority: (["low", "high", "medium"] as const)[n % 3] ?? "low" }));
    const [a = "", b = "", c = "", d = "", e = "", f = ""] = ids;
    let added = "";
    const pages = await pagesOf("listPendingTasks", queue, 1, async (page) => {
      if (page === 2) {
        await stack.client.queue.cancelTask({ taskId: a });
        await stack.client.queue.cancelTask({ taskId: c });
        await stack.client.queue.changeTaskPriority({ taskId: f }, { newPriority: "highest" });
      }
      if (page === 3) added = await add(queue, { priority: "highest" });
    });
    expect(pages).toEqual([[a], [b], [d], [e], [f], [added]]);
  });
});

describe("the list of claimed tasks", () => {
  it("is in the order of claims, with the workers", async () => {
    const queue = newQueue();
    const [low, high] = [await add(queue, { priority: "low" }), await add(queue, { priority: "high" })];
    await claim(queue, 1, "first");
    await clock.advance(10);
    await claim(queue, 1, "second");
    const { tasks } = await stack.client.queue.listClaimedTasks({ taskQueueId: queue });
    expect(tasks).toEqual([
      {
        taskId: high,
        runId: 0,
        workerGroup: "g",
        workerId: "first",
        claimed: inMs(-10),
        task: await stack.client.queue.task({ taskId: high }),
      },
      expect.objectContaining({ taskId: low, workerId: "second", claimed: inMs(0) }),
    ]);
  });

  it("in pages of one contains each task once, also of those claimed simultaneously, while others are claimed and resolved", async () => {
    const queue = newQueue();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await add(queue));
    await claim(queue, 5);
    const [a = "", b = "", c = "", d = "", e = ""] = ids;
    let added = "";
    const pages = await pagesOf("listClaimedTasks", queue, 1, async (page) => {
      if (page !== 2) return;
      for (const taskId of [a, d]) await stack.client.queue.reportCompleted({ taskId, runId: 0 });
      await stack.client.queue.reclaimTask({ taskId: c, runId: 0 });
      added = await add(queue);
      await clock.advance(1);
      await claim(queue);
    });
    expect(pages).toEqual([[a], [b], [c], [e], [added]]);
  });
});

it("invalid continuation tokens, and those of another list, are refused", async () => {
  const token = (key: string) => Buffer.from(JSON.stringify([key])).toString("base64url");
  for (const [list, keys] of [
    ["pending", ["", "x", "-1", "9".repeat(19), "1.5", "0/0"]],
    ["claimed", ["", "1", "x/1", "1/x", `${"9".repeat(14)}/1`, "2026-01-01T00:00:00Z/1"]],
  ] as const)
    for (const key of keys) {
      const reply = await rawCall(stack.rootUrl, {
        method: "GET",
        path: `/api/queue/v1/task-queues/a%2Fb/${list}?continuationToken=${token(key)}`,
        credentials: stack.rootCredentials,
        now: clock.now(),
      });
      expect([list, key, reply.status, reply.message]).toEqual([
        list,
        key,
        400,
        expect.stringContaining(
          "Invalid continuation token: send the continuationToken of the previous page",
        ),
      ]);
    }
});
