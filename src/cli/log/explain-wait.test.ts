import { expect, test } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { capturedIo } from "../../../test/support/captured-io.ts";
import { createTask } from "../../../test/support/factories.ts";
import { sharedStack } from "../../../test/support/stack.ts";
import { until } from "../../../test/support/until.ts";
import { main } from "../main.ts";
import { explainWait } from "./explain-wait.ts";

test("reports why a task does not start, once for each reason, until it has started or ended", async () => {
  const { client } = await sharedStack();
  const first = await createTask(client, { taskQueueId: "nobody/works-here" });
  const taskId = await createTask(client, { taskQueueId: "nobody/works-here", dependencies: [first] });
  const clock = manualClock();
  const stop = new AbortController();
  const reported: string[] = [];
  const calls: Promise<unknown>[] = [];
  const { queue } = client;
  const observed = (...args: Parameters<typeof queue.why>) => {
    const call = queue.why(...args);
    calls.push(call);
    return call;
  };
  const why = Object.assign(observed, { url: queue.why.url });
  explainWait({
    client: { ...client, queue: { ...queue, why } },
    taskId,
    report: (text) => void reported.push(text),
    signal: stop.signal,
    clock,
  });
  await clock.advance(9999);
  expect(reported).toEqual([]);
  await clock.advance(1);
  await until("a report", async () => reported.length === 1);
  expect(reported[0]).toMatch(/^still waiting: .*1 pending|dependency/);
  await client.queue.scheduleTask({ taskId });
  await until("the second wait", async () => clock.pending() === 1);
  await clock.advance(60_000);
  await until("another report", async () => reported.length === 2);
  expect(reported[1]).toMatch(/^still waiting: .*no worker/i);
  expect(reported[1]).toContain("taskyard worker --task-queue nobody/works-here");
  // The same reason again, and then the end of the task.
  await until("the third wait", async () => clock.pending() === 1);
  await clock.advance(60_000);
  await until("the fourth wait", async () => clock.pending() === 1);
  await client.queue.cancelTask({ taskId });
  await clock.advance(60_000);
  await until("the last call", async () => calls.length === 4);
  await calls.at(-1);
  // Runs what waits for the reply.
  await clock.advance(0);
  expect([reported.length, clock.pending()]).toEqual([2, 0]);
  stop.abort();
});

test("run, also with --quiet, and task log -f report it after ten seconds", async () => {
  const { client, env } = await sharedStack();
  const taskQueueId = "nobody/serves-this";
  const taskId = await createTask(client, { taskQueueId });
  for (const line of [
    ["run", "--quiet", "--task-queue", taskQueueId, "--", "true"],
    ["task", "log", "--follow", taskId],
  ]) {
    const clock = manualClock();
    const io = capturedIo({ env, clock });
    const running = main(line, io);
    await until("the command waits", async () => clock.pending() === 1);
    expect(io.err()).toBe("");
    await clock.advance(10_000);
    await io.until("still waiting: No worker serves nobody/serves-this");
    expect(io.err()).toContain(`taskyard worker --task-queue ${taskQueueId}`);
    io.interrupt();
    expect(await running).toBe(130);
  }
});
