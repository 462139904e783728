// scheduleTask, rerunTask and cancelTask, from every state a task can be in.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../../test/support/queue-events.ts";
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
const storyOf = async (taskId: string) => story(await eventsOf(taskId)).slice(1);

/** A task for each state, with the calls that led there. */
const makers = {
  unscheduled: (more: Partial<TaskDefinitionRequest> = {}) =>
    createTask(stack.client, { dependencies: [open], ...more }, clock.now()),
  pending: (more: Partial<TaskDefinitionRequest> = {}) => createTask(stack.client, more, clock.now()),
  async running(more: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await makers.pending(more);
    await claim(taskId);
    return taskId;
  },
  async completed(more: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await makers.running(more);
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    return taskId;
  },
  async failed(more: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await makers.running(more);
    await stack.client.queue.reportFailed({ taskId, runId: 0 });
    return taskId;
  },
  async exception(more: Partial<TaskDefinitionRequest> = {}) {
    const taskId = await makers.running(more);
    await stack.client.queue.reportException({ taskId, runId: 0 }, { reason: "malformed-payload" });
    return taskId;
  },
};
const states = Object.keys(makers) as (keyof typeof makers)[];

describe("scheduleTask", () => {
  it("makes an unscheduled task pending, whatever it depends on, and says so", async () => {
    const taskId = await makers.unscheduled();
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

  it.each(states.slice(1))("leaves a task that is %s as it is, and says nothing", async (state) => {
    const taskId = await makers[state]();
    const before = await storyOf(taskId);
    expect((await call("scheduleTask", taskId)).state).toBe(state);
    expect(await storyOf(taskId)).toEqual(before);
  });

  it("is done once, however often it is asked for at once", async () => {
    const taskId = await makers.unscheduled();
    await Promise.all(Array.from({ length: 8 }, () => call("scheduleTask", taskId)));
    expect(await storyOf(taskId)).toEqual(["task-pending 0"]);
  });
});

describe("rerunTask", () => {
  it.each(["completed", "failed", "exception"] as const)(
    "gives a task that is %s another run, and its retries back",
    async (state) => {
      const taskId = await makers[state]({ retries: 2 });
      const status = await call("rerunTask", taskId);
      expect(status).toMatchObject({
        state: "pending",
        retriesLeft: 2,
        runs: [{ state }, { runId: 1, state: "pending", reasonCreated: "rerun", scheduled: now() }],
      });
      expect((await storyOf(taskId)).at(-1)).toBe("task-pending 1");
    },
  );

  it("gives an unscheduled task its first run", async () => {
    const taskId = await makers.unscheduled({ retries: 3 });
    expect(await call("rerunTask", taskId)).toMatchObject({
      state: "pending",
      retriesLeft: 3,
      runs: [{ runId: 0, reasonCreated: "rerun" }],
    });
  });

  it("says of a pending task once more that it is pending, and of a running one nothing", async () => {
    const pending = await makers.pending();
    expect((await call("rerunTask", pending)).state).toBe("pending");
    expect(await storyOf(pending)).toEqual(["task-pending 0", "task-pending 0"]);
    const running = await makers.running();
    expect((await call("rerunTask", running)).state).toBe("running");
    expect(await storyOf(running)).toEqual(["task-pending 0", "task-running 0"]);
  });

  it("is done once where it is asked for several times at once", async () => {
    const taskId = await makers.completed();
    const statuses = await Promise.all(Array.from({ length: 8 }, () => call("rerunTask", taskId)));
    expect(new Set(statuses.map(({ runs }) => runs.length))).toEqual(new Set([2]));
  });

  it("gives no more retries than there may be runs, and no more runs than that", async () => {
    const taskId = await makers.unscheduled({ retries: 49 });
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
  it("ends an unscheduled task with a run that says so", async () => {
    const taskId = await makers.unscheduled();
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

  it("ends a pending task, and a running one, whose worker it names", async () => {
    for (const state of ["pending", "running"] as const) {
      const taskId = await makers[state]();
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

  it("is said again where it is repeated", async () => {
    const taskId = await makers.running();
    const first = await call("cancelTask", taskId);
    expect(await call("cancelTask", taskId)).toEqual(first);
    expect((await storyOf(taskId)).slice(-2)).toEqual(["task-exception 0", "task-exception 0"]);
  });

  it.each(["completed", "failed", "exception"] as const)(
    "leaves a task that is %s as it is, and says nothing",
    async (state) => {
      const taskId = await makers[state]();
      const before = await storyOf(taskId);
      expect((await call("cancelTask", taskId)).state).toBe(state);
      expect(await storyOf(taskId)).toEqual(before);
    },
  );

  it("can be taken back by a rerun alone", async () => {
    const taskId = await makers.unscheduled();
    await call("cancelTask", taskId);
    expect((await call("scheduleTask", taskId)).state).toBe("exception");
    expect(await call("rerunTask", taskId)).toMatchObject({ state: "pending", runs: [{}, { runId: 1 }] });
  });

  it("of many tasks at once is one statement or a few, each with its own answer", async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => makers[states[i % 3] ?? "pending"]()));
    const statuses = await Promise.all(ids.map((taskId) => call("cancelTask", taskId)));
    expect(statuses.map(({ taskId }) => taskId)).toEqual(ids);
    for (const taskId of ids) expect((await storyOf(taskId)).at(-1)).toBe("task-exception 0");
  });
});

describe.each(["scheduleTask", "rerunTask", "cancelTask"] as const)("%s", (method) => {
  it("is refused once the deadline is there", async () => {
    const deadline = new Date(clock.now() + 1_000).toISOString();
    const ids = await Promise.all(states.map((state) => makers[state]({ deadline })));
    await clock.advance(1_000);
    for (const taskId of ids)
      await expect(call(method, taskId)).rejects.toMatchObject({
        code: "RequestConflict",
        message: `The deadline of task ${taskId} (${deadline}) has passed, so it can change no more.`,
      });
  });

  it("needs one of three scopes: of the task in its group, of its project, or the ones of long ago", async () => {
    const verb = method.replace("Task", "");
    const taskId = await makers.unscheduled({ schedulerId: "s", projectId: "p" });
    const needed = [
      [`queue:${verb}-task:s/${taskId}/${taskId}`],
      [`queue:${verb}-task-in-project:p`],
      [`queue:${verb}-task`, `assume:scheduler-id:s/${taskId}`],
    ];
    for (const scopes of needed) {
      const id = { taskId };
      await stack.limited(scopes).queue[method](id);
      const short = stack.limited(scopes.slice(1));
      await expect(short.queue[method](id)).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(`queue:${verb}-task-in-project:p`),
      });
    }
  });
});
