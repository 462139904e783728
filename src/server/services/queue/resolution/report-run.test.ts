// reportCompleted, reportFailed and reportException: resolution, retries and repeated reports.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { EXCEPTION_REASONS } from "../../../../api/queue/status.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";

const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock });
});
afterAll(() => stack.stop());

type Reason = (typeof EXCEPTION_REASONS)[number];
const completed = (taskId: string, runId: number | string = 0) =>
  stack.client.queue.reportCompleted({ taskId, runId });
const failed = (taskId: string, runId: number | string = 0) =>
  stack.client.queue.reportFailed({ taskId, runId });
const exception = (taskId: string, reason: Reason, runId: number | string = 0) =>
  stack.client.queue.reportException({ taskId, runId }, { reason });
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const summaryOf = async (taskId: string) =>
  summarize(await queueEvents(stack.database.db, { taskId })).filter((line) => line !== "task-defined");

async function running(overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> {
  const taskId = await createTask(stack.client, overrides, clock.now());
  await claim(taskId);
  return taskId;
}

describe.each([
  ["completed", completed, failed],
  ["failed", failed, completed],
] as const)("a run that is reported as %s", (state, report, reportOtherwise) => {
  it("is resolved together with the task, and its event names the worker", async () => {
    const taskId = await running({ routes: ["r"], tags: { t: "" } });
    await clock.advance(1_000);
    const { status } = await report(taskId);
    expect(status).toEqual(await statusOf(taskId));
    expect(status).toMatchObject({
      state,
      retriesLeft: 5,
      runs: [{ state, reasonResolved: state, ...worker, resolved: new Date(clock.now()).toISOString() }],
    });
    const events = await queueEvents(stack.database.db, { taskId });
    expect(events.at(-1)).toEqual({
      kind: `task-${state}`,
      routingKey: `primary.${taskId}.0.g.w.test.queue.-.${taskId}._`,
      routes: ["r"],
      payload: { status, runId: 0, ...worker, task: { tags: { t: "" } }, version: 1 },
    });
  });

  it("may be reported again in the same way, which publishes nothing, but not in another way", async () => {
    const taskId = await running();
    const first = await report(taskId);
    expect(await report(taskId)).toEqual(first);
    await expect(reportOtherwise(taskId)).rejects.toMatchObject({
      code: "RequestConflict",
      message: expect.stringContaining(`it is ${state} (${state}).`),
    });
    await expect(exception(taskId, "internal-error")).rejects.toMatchObject({ code: "RequestConflict" });
    expect(await summaryOf(taskId)).toEqual(["task-pending 0", "task-running 0", `task-${state} 0`]);
  });

  it("may be reported after the deadline", async () => {
    const taskId = await running({ deadline: new Date(clock.now() + 1_000).toISOString() });
    await clock.advance(2_000);
    expect((await report(taskId)).status.state).toBe(state);
  });
});

describe("reportCompleted", () => {
  it("resolves as failed if the legacy body has success: false", async () => {
    const report = async (taskId: string, body: string) => {
      const path = `/api/queue/v1/task/${taskId}/runs/0/completed`;
      const credentials = stack.rootCredentials;
      return rawCall(stack.rootUrl, { method: "POST", path, body, credentials, now: clock.now() });
    };
    const reply = (state: string) => ({ status: 200, body: { status: { state } } });
    expect(await report(await running(), '{"success": false}')).toMatchObject(reply("failed"));
    expect(await report(await running(), '{"success": true}')).toMatchObject(reply("completed"));
    expect(await report(await running(), "[]")).toMatchObject(reply("completed"));
  });
});

describe("a run that is reported as an exception", () => {
  it.each(["malformed-payload", "resource-unavailable", "internal-error"] as const)(
    "is not retried for %s",
    async (reason) => {
      const taskId = await running();
      const { status } = await exception(taskId, reason);
      expect(status).toMatchObject({
        state: "exception",
        retriesLeft: 5,
        runs: [{ state: "exception", reasonResolved: reason, ...worker }],
      });
      expect((await summaryOf(taskId)).slice(2)).toEqual(["task-exception 0"]);
    },
  );

  it.each([
    ["worker-shutdown", "retry"],
    ["intermittent-task", "task-retry"],
  ] as const)("is retried for %s, with the reason %s", async (reason, reasonCreated) => {
    const taskId = await running();
    const { status } = await exception(taskId, reason);
    const scheduled = new Date(clock.now()).toISOString();
    expect(status).toMatchObject({
      state: "pending",
      retriesLeft: 4,
      runs: [
        { runId: 0, state: "exception", reasonResolved: reason, resolved: scheduled },
        { runId: 1, state: "pending", reasonCreated, scheduled },
      ],
    });
    const events = (await queueEvents(stack.database.db, { taskId })).slice(-2);
    expect(summarize(events)).toEqual(["task-exception 0", "task-pending 1"]);
    for (const { payload } of events) expect(payload.status).toEqual(status);
    expect(events.map(({ payload }) => payload.workerId)).toEqual(["w", undefined]);
  });

  it("is retried as long as retries are left", async () => {
    const taskId = await running({ retries: 2 });
    for (const retriesLeft of [1, 0]) {
      const { status } = await exception(taskId, "worker-shutdown", 1 - retriesLeft);
      expect(status).toMatchObject({ state: "pending", retriesLeft });
      await claim(taskId, 2 - retriesLeft);
    }
    const { status } = await exception(taskId, "worker-shutdown", 2);
    expect(status).toMatchObject({ state: "exception", retriesLeft: 0 });
    expect((await summaryOf(taskId)).slice(-3)).toEqual([
      "task-pending 2",
      "task-running 2",
      "task-exception 2",
    ]);
  });

  it("may be reported again while its retry is pending or running, but not once the retry was retried", async () => {
    const taskId = await running();
    await exception(taskId, "worker-shutdown");
    expect((await exception(taskId, "worker-shutdown")).status).toMatchObject({ state: "pending" });
    await expect(exception(taskId, "intermittent-task")).rejects.toMatchObject({ code: "RequestConflict" });
    await claim(taskId, 1);
    expect((await exception(taskId, "worker-shutdown")).status).toMatchObject({
      state: "running",
      retriesLeft: 4,
    });
    await exception(taskId, "worker-shutdown", 1);
    await expect(exception(taskId, "worker-shutdown", 0)).rejects.toMatchObject({
      code: "RequestConflict",
      message: `Run 0 of task ${taskId} cannot be resolved as exception (worker-shutdown): it is exception (worker-shutdown), and not the latest run. Stop working on it.`,
    });
    expect((await summaryOf(taskId)).filter((line) => line === "task-exception 0")).toHaveLength(1);
  });
});

describe("a report", () => {
  const reports = {
    completed,
    failed,
    exception: (taskId: string, runId: number | string) => exception(taskId, "internal-error", runId),
  };

  it.each(Object.entries(reports))("of %s is refused if the run is not running", async (_, report) => {
    const pending = await createTask(stack.client, {}, clock.now());
    const unscheduled = await createTask(stack.client, { dependencies: [pending] }, clock.now());
    const canceled = await running();
    await stack.client.queue.cancelTask({ taskId: canceled });
    const conflict = { code: "RequestConflict", statusCode: 409 };
    await expect(report(pending, 0)).rejects.toMatchObject({
      ...conflict,
      message: expect.stringMatching(
        /^Run 0 of task .* cannot be resolved as .*: it is pending\. Stop working on it\.$/,
      ),
    });
    await expect(report(canceled, 0)).rejects.toMatchObject(conflict);
    await expect(report(unscheduled, 0)).rejects.toMatchObject({
      code: "ResourceNotFound",
      message: `Task ${unscheduled} has no run 0: it has none. The status of the task lists them.`,
    });
  });

  it.each(Object.entries(reports))("of %s is refused if the run does not exist", async (_, report) => {
    const taskId = await running();
    for (const runId of [1, 999, 1_000, 32_768, "99999999999999999999", "9".repeat(400)])
      await expect(report(taskId, runId)).rejects.toMatchObject({
        code: "ResourceNotFound",
        message: expect.stringContaining(`Task ${taskId} has no run ${runId}`),
      });
    await expect(report(slugid(), 0)).rejects.toMatchObject({ code: "ResourceNotFound" });
  });

  it("that is refused does not affect concurrent reports", async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => running()));
    const outcomes = await Promise.allSettled(
      ids.flatMap((taskId, i) =>
        i % 4 === 0 ? [completed(taskId), failed(taskId), completed(taskId, 7)] : [completed(taskId)],
      ),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(20);
    for (const taskId of ids) expect((await statusOf(taskId)).state).toMatch(/^(completed|failed)$/);
  });
});
