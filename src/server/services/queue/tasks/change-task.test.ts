// scheduleTask, rerunTask and cancelTask, from every state of a task.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";

const MAX_RUNS = 6;
const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
let open = "";
beforeAll(async () => {
  stack = await testStack({ clock, config: { queue: { maxRuns: MAX_RUNS } } });
  open = await createTask(stack.client, {}, clock.now());
});
afterAll(() => stack.stop());

const call = async (method: "scheduleTask" | "rerunTask" | "cancelTask", taskId: string) =>
  (await stack.client.queue[method]({ taskId })).status;
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const now = (): string => new Date(clock.now()).toISOString();
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });
const summaryOf = async (taskId: string) => summarize(await eventsOf(taskId)).slice(1);

/** Create a task and bring it into the state. */
const createIn = {
  unscheduled: (overrides: Partial<TaskDefinitionRequest> = {}) =>
    createTask(stack.client, { dependencies: [open], ...overrides }, clock.now()),
  pending: (overrides: Partial<TaskDefinitionRequest> = {}) =>
    createTask(stack.client, overrides, clock.now()),
  async running(overrides: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await createIn.pending(overrides);
    await claim(taskId);
    return taskId;
  },
  async completed(overrides: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await createIn.running(overrides);
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    return taskId;
  },
  async failed(overrides: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await createIn.running(overrides);
    await stack.client.queue.reportFailed({ taskId, runId: 0 });
    return taskId;
  },
  async exception(overrides: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await createIn.running(overrides);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "malformed-payload" });
    return taskId;
  },
};
const states = Object.keys(createIn) as (keyof typeof createIn)[];

describe("scheduleTask", () => {
  it("makes an unscheduled task pending regardless of its dependencies, and publishes it", async () => {
    const taskId = await createIn.unscheduled();
    const status = await call("scheduleTask", taskId);
    expect(status).toMatchObject({
      state: "pending",
      runs: [{ runId: 0, state: "pending", reasonCreated: "scheduled", scheduled: now() }],
    });
    expect((await eventsOf(taskId)).at(-1)).toMatchObject({
      kind: "task-pending",
      payload: { runId: 0, status },
    });
  });

  it.each(states.slice(1))("leaves a task that is %s unchanged, and publishes nothing", async (state) => {
    const taskId = await createIn[state]();
    const before = await summaryOf(taskId);
    expect((await call("scheduleTask", taskId)).state).toBe(state);
    expect(await summaryOf(taskId)).toEqual(before);
  });

  it("takes effect once when called several times concurrently", async () => {
    const taskId = await createIn.unscheduled();
    await Promise.all(Array.from({ length: 8 }, () => call("scheduleTask", taskId)));
    expect(await summaryOf(taskId)).toEqual(["task-pending 0"]);
  });
});

describe("rerunTask", () => {
  it.each(["completed", "failed", "exception"] as const)(
    "adds a run to a task that is %s, and restores its retries",
    async (state) => {
      const taskId = await createIn[state]({ retries: 2 });
      const status = await call("rerunTask", taskId);
      expect(status).toMatchObject({
        state: "pending",
        retriesLeft: 2,
        runs: [{ state }, { runId: 1, state: "pending", reasonCreated: "rerun", scheduled: now() }],
      });
      expect((await summaryOf(taskId)).at(-1)).toBe("task-pending 1");
    },
  );

  it("adds the first run to an unscheduled task", async () => {
    const taskId = await createIn.unscheduled({ retries: 3 });
    expect(await call("rerunTask", taskId)).toMatchObject({
      state: "pending",
      retriesLeft: 3,
      runs: [{ runId: 0, reasonCreated: "rerun" }],
    });
  });

  it("publishes task-pending again for a pending task, and nothing for a running one", async () => {
    const pending = await createIn.pending();
    expect((await call("rerunTask", pending)).state).toBe("pending");
    expect(await summaryOf(pending)).toEqual(["task-pending 0", "task-pending 0"]);
    const running = await createIn.running();
    expect((await call("rerunTask", running)).state).toBe("running");
    expect(await summaryOf(running)).toEqual(["task-pending 0", "task-running 0"]);
  });

  it("adds one run when called several times concurrently", async () => {
    const taskId = await createIn.completed();
    const statuses = await Promise.all(Array.from({ length: 8 }, () => call("rerunTask", taskId)));
    expect(new Set(statuses.map(({ runs }) => runs.length))).toEqual(new Set([2]));
  });

  it("limits the retries to the runs that are left, and refuses more runs than the maximum", async () => {
    const taskId = await createIn.unscheduled({ retries: 49 });
    for (let runs = 0; runs < MAX_RUNS; runs++) {
      const status = await call("rerunTask", taskId);
      expect(status).toMatchObject({ state: "pending", retriesLeft: MAX_RUNS - runs - 1 });
      await claim(taskId, runs);
      await stack.client.queue.reportFailed({ taskId, runId: runs });
    }
    await expect(call("rerunTask", taskId)).rejects.toMatchObject({
      code: "RequestConflict",
      message: `Maximum number of runs reached (${MAX_RUNS}): task ${taskId} cannot run again. Create a new task.`,
    });
  });
});

describe("cancelTask", () => {
  it("resolves an unscheduled task with a canceled run", async () => {
    const taskId = await createIn.unscheduled();
    const status = await call("cancelTask", taskId);
    expect(status).toMatchObject({
      state: "exception",
      runs: [
        {
          runId: 0,
          state: "exception",
          reasonCreated: "exception",
          reasonResolved: "canceled",
          scheduled: now(),
          resolved: now(),
        },
      ],
    });
    expect((await eventsOf(taskId)).at(-1)).toMatchObject({
      kind: "task-exception",
      routingKey: expect.stringContaining(`primary.${taskId}.0._._.`),
      payload: { runId: 0, status },
    });
  });

  it("resolves a pending task, and a running one with its worker in the event", async () => {
    for (const state of ["pending", "running"] as const) {
      const taskId = await createIn[state]();
      const status = await call("cancelTask", taskId);
      expect(status).toMatchObject({
        state: "exception",
        retriesLeft: 5,
        runs: [{ runId: 0, state: "exception", reasonCreated: "scheduled", reasonResolved: "canceled" }],
      });
      const event = (await eventsOf(taskId)).at(-1);
      expect(event).toMatchObject({ kind: "task-exception", payload: { runId: 0, status } });
      expect(event?.payload.workerId).toBe(state === "running" ? "w" : undefined);
      await expect(claim(taskId)).rejects.toMatchObject({ code: "RequestConflict" });
    }
  });

  it("publishes its event again when repeated", async () => {
    const taskId = await createIn.running();
    const first = await call("cancelTask", taskId);
    expect(await call("cancelTask", taskId)).toEqual(first);
    expect((await summaryOf(taskId)).slice(-2)).toEqual(["task-exception 0", "task-exception 0"]);
  });

  it.each(["completed", "failed", "exception"] as const)(
    "leaves a task that is %s unchanged, and publishes nothing",
    async (state) => {
      const taskId = await createIn[state]();
      const before = await summaryOf(taskId);
      expect((await call("cancelTask", taskId)).state).toBe(state);
      expect(await summaryOf(taskId)).toEqual(before);
    },
  );

  it("can be undone only by a rerun", async () => {
    const taskId = await createIn.unscheduled();
    await call("cancelTask", taskId);
    expect((await call("scheduleTask", taskId)).state).toBe("exception");
    expect(await call("rerunTask", taskId)).toMatchObject({ state: "pending", runs: [{}, { runId: 1 }] });
  });

  it("of many tasks concurrently shares statements, and returns each caller its own task", async () => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, i) => createIn[states[i % 3] ?? "pending"]()),
    );
    const statuses = await Promise.all(ids.map((taskId) => call("cancelTask", taskId)));
    expect(statuses.map(({ taskId }) => taskId)).toEqual(ids);
    for (const taskId of ids) expect((await summaryOf(taskId)).at(-1)).toBe("task-exception 0");
  });
});

describe.each(["scheduleTask", "rerunTask", "cancelTask"] as const)("%s", (method) => {
  it("is refused from the deadline on", async () => {
    const deadline = new Date(clock.now() + 1_000).toISOString();
    const ids = await Promise.all(states.map((state) => createIn[state]({ deadline })));
    await clock.advance(1_000);
    for (const taskId of ids)
      await expect(call(method, taskId)).rejects.toMatchObject({
        code: "RequestConflict",
        message: `The deadline of task ${taskId} (${deadline}) has passed, so it can change no more. Create a new task.`,
      });
  });

  it("requires one of three: the scope of the task in its group, that of its project, or the legacy pair", async () => {
    const verb = method.replace("Task", "");
    const taskId = await createIn.unscheduled({ schedulerId: "s", projectId: "p" });
    const alternatives = [
      [`queue:${verb}-task:s/${taskId}/${taskId}`],
      [`queue:${verb}-task-in-project:p`],
      [`queue:${verb}-task`, `assume:scheduler-id:s/${taskId}`],
    ];
    for (const scopes of alternatives) {
      const id = { taskId };
      await stack.limited(scopes).queue[method](id);
      const insufficient = stack.limited(scopes.slice(1));
      await expect(insufficient.queue[method](id)).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(`queue:${verb}-task-in-project:p`),
      });
    }
  });
});
