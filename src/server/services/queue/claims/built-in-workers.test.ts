import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";

let stack: Stack;
let other: Stack;
beforeAll(async () => {
  // So long that polling finds nothing: each step needs a wake-up.
  const config = { queue: { loopBatch: 4 } };
  stack = await testStack({ manualLoops: true, config });
  other = await testStack({ manualLoops: true, config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const untilResolved = (taskId: string) =>
  until(`${taskId} to be resolved`, async () => {
    const status = await statusOf(taskId);
    return status.runs.at(-1)?.resolved === undefined ? undefined : status;
  });

describe("the built-in workers", () => {
  it.each([
    ["succeed", "completed"],
    ["fail", "failed"],
  ])("resolve tasks of built-in/%s as %s", async (workerId, state) => {
    const taskId = await createTask(stack.client, { taskQueueId: `built-in/${workerId}` });
    const status = await untilResolved(taskId);
    expect(status).toMatchObject({
      state,
      runs: [{ state, reasonResolved: state, workerGroup: "built-in", workerId }],
    });
    const events = await queueEvents(stack.database.db, { taskId });
    expect(summarize(events)).toEqual([
      "task-defined",
      "task-pending 0",
      "task-running 0",
      `task-${state} 0`,
    ]);
  });

  it("resolve a payload with a command as malformed", async () => {
    const taskId = await createTask(stack.client, {
      taskQueueId: "built-in/succeed",
      payload: { command: ["true"] },
    });
    expect(await untilResolved(taskId)).toMatchObject({
      state: "exception",
      retriesLeft: 5,
      runs: [{ reasonResolved: "malformed-payload" }],
    });
  });

  it("resolve a chain and many concurrent tasks, in two processes, each task once", async () => {
    const taskQueueId = "built-in/succeed";
    const chain = [await createTask(stack.client, { taskQueueId })];
    for (let i = 0; i < 9; i++)
      chain.push(await createTask(other.client, { taskQueueId, dependencies: [chain.at(-1) ?? ""] }));
    const independent = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        createTask((i % 2 === 0 ? stack : other).client, { taskQueueId: "built-in/fail" }),
      ),
    );
    for (const taskId of [...chain, ...independent]) {
      expect((await untilResolved(taskId)).runs).toHaveLength(1);
      expect(summarize(await queueEvents(stack.database.db, { taskId }))).toHaveLength(4);
    }
  });

  it("leave the tasks of other queues pending", async () => {
    const taskId = await createTask(stack.client, { taskQueueId: "built-in/other" });
    await untilResolved(await createTask(stack.client, { taskQueueId: "built-in/succeed" }));
    expect((await statusOf(taskId)).state).toBe("pending");
  });
});
