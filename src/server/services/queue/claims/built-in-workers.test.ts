import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";

let stack: Stack;
let other: Stack;
beforeAll(async () => {
  // So long that nothing is found by looking: it has to be told.
  const config = { queue: { loopInterval: 1_000_000, loopBatch: 4 } };
  stack = await testStack({ config });
  other = await testStack({ config, database: stack.database });
});
afterAll(async () => {
  await other.stop();
  await stack.stop();
});

const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const resolved = (taskId: string) =>
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
    const status = await resolved(taskId);
    expect(status).toMatchObject({
      state,
      runs: [{ state, reasonResolved: state, workerGroup: "built-in", workerId }],
    });
    const events = await queueEvents(stack.database.db, { taskId });
    expect(story(events)).toEqual(["task-defined", "task-pending 0", "task-running 0", `task-${state} 0`]);
  });

  it("take nothing to do as a malformed payload", async () => {
    const taskId = await createTask(stack.client, {
      taskQueueId: "built-in/succeed",
      payload: { command: ["true"] },
    });
    expect(await resolved(taskId)).toMatchObject({
      state: "exception",
      retriesLeft: 5,
      runs: [{ reasonResolved: "malformed-payload" }],
    });
  });

  it("go down a chain and many at once, in two processes, each task once", async () => {
    const taskQueueId = "built-in/succeed";
    const chain = [await createTask(stack.client, { taskQueueId })];
    for (let i = 0; i < 9; i++)
      chain.push(await createTask(other.client, { taskQueueId, dependencies: [chain.at(-1) ?? ""] }));
    const many = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        createTask((i % 2 === 0 ? stack : other).client, { taskQueueId: "built-in/fail" }),
      ),
    );
    for (const taskId of [...chain, ...many]) {
      expect((await resolved(taskId)).runs).toHaveLength(1);
      expect(story(await queueEvents(stack.database.db, { taskId }))).toHaveLength(4);
    }
  });

  it("leave other queues alone, and who waits there", async () => {
    const taskId = await createTask(stack.client, { taskQueueId: "built-in/other" });
    await resolved(await createTask(stack.client, { taskQueueId: "built-in/succeed" }));
    expect((await statusOf(taskId)).state).toBe("pending");
  });
});
