// createTask: what it accepts, repeats and refuses, and which events it publishes.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../../test/support/queue-events.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";

const clock = manualClock();
const now = "2026-01-01T00:00:00.000Z";
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ clock });
});
afterAll(() => stack.stop());

const body = (overrides: Partial<TaskDefinitionRequest> = {}) => taskDefinition(overrides, clock.now());
const create = async (overrides: Partial<TaskDefinitionRequest> = {}, taskId = slugid()) =>
  (await stack.client.queue.createTask({ taskId }, body(overrides))).status;
const definitionOf = (taskId: string) => stack.client.queue.task({ taskId });
const eventsOf = (taskId: string) => queueEvents(stack.database.db, { taskId });

/** Resolves run 0 of a task; claims it first unless the task is canceled. */
async function resolve(taskId: string, as: "completed" | "failed" | "canceled"): Promise<void> {
  const { queue } = stack.client;
  if (as === "canceled") return void (await queue.cancelTask({ taskId }));
  await queue.claimTask({ taskId, runId: 0 }, { workerGroup: "g", workerId: "w" });
  await (as === "completed" ? queue.reportCompleted : queue.reportFailed)({ taskId, runId: 0 });
}

describe("a new task", () => {
  it("is pending immediately if it has no dependencies; task-defined and task-pending are published in this order", async () => {
    const taskId = slugid();
    const status = await create({ routes: ["a.b", "c"], tags: { kind: "test" }, retries: 2 }, taskId);
    const base = {
      taskId,
      provisionerId: "test",
      workerType: "queue",
      taskQueueId: "test/queue",
      schedulerId: "-",
      projectId: "none",
      taskGroupId: taskId,
      priority: "lowest",
      deadline: "2026-01-01T01:00:00.000Z",
      expires: "2026-01-02T00:00:00.000Z",
      retriesLeft: 2,
    };
    const pending = {
      ...base,
      state: "pending",
      runs: [{ runId: 0, state: "pending", reasonCreated: "scheduled", scheduled: now }],
    };
    expect(status).toEqual(pending);
    const common = { routes: ["a.b", "c"] };
    const commonPayload = { task: { tags: { kind: "test" } }, version: 1 };
    expect(await eventsOf(taskId)).toEqual([
      {
        ...common,
        kind: "task-defined",
        routingKey: `primary.${taskId}._._._.test.queue.-.${taskId}._`,
        payload: { ...commonPayload, status: { ...base, state: "unscheduled", runs: [] } },
      },
      {
        ...common,
        kind: "task-pending",
        routingKey: `primary.${taskId}.0._._.test.queue.-.${taskId}._`,
        payload: { ...commonPayload, status: pending, runId: 0 },
      },
    ]);
  });

  it("is returned with everything it was created with", async () => {
    const payload = { text: "é😀\0\ud800", deep: [{ a: null }], number: 1.5e300, "": false };
    const given = body({
      schedulerId: "some-scheduler",
      projectId: "a/b",
      taskGroupId: slugid(),
      routes: ["x"],
      priority: "high",
      retries: 49,
      scopes: ["a:*", "b"],
      requires: "all-resolved",
      tags: { a: "b" },
      extra: payload,
      payload,
    });
    const { taskId } = await create(given);
    expect(await definitionOf(taskId)).toEqual({
      ...given,
      provisionerId: "test",
      workerType: "queue",
      dependencies: [],
    });
  });

  it("may be created by several callers concurrently; all receive the same status", async () => {
    const taskId = slugid();
    const statuses = await Promise.all(Array.from({ length: 10 }, () => create({}, taskId)));
    expect(new Set(statuses.map((status) => JSON.stringify(status))).size).toBe(1);
  });
});

describe("a repeated call", () => {
  const twice = async (first: Partial<TaskDefinitionRequest>, second: Partial<TaskDefinitionRequest>) => {
    const taskId = slugid();
    await create(first, taskId);
    return create(second, taskId);
  };
  const conflict = {
    code: "RequestConflict",
    statusCode: 409,
    message: expect.stringContaining("already used by another task"),
  };

  it("with the same definition returns the existing task and publishes its events again", async () => {
    const taskId = slugid();
    await create({}, taskId);
    expect((await create({}, taskId)).state).toBe("pending");
    expect(summarize(await eventsOf(taskId))).toEqual([
      "task-defined",
      "task-pending 0",
      "task-defined",
      "task-pending 0",
    ]);
    await resolve(taskId, "completed");
    expect((await create({}, taskId)).state).toBe("completed");
    const events = await eventsOf(taskId);
    expect(summarize(events.slice(-2))).toEqual(["task-completed 0", "task-defined"]);
    expect(events.at(-1)?.payload.status).toMatchObject({ state: "unscheduled", runs: [] });
  });

  it("may express the same definition differently", async () => {
    const payload = { a: 1, "\0": "\ud800", c: [{ x: 1, y: 2 }] };
    const equivalents: [Partial<TaskDefinitionRequest>, Partial<TaskDefinitionRequest>][] = [
      [{ payload }, { payload: { c: [{ y: 2, x: 1 }], "\0": "\ud800", a: 1 } }],
      [{ created: "2026-01-01T00:00:00Z" }, { created: "2026-01-01T01:00:00.000+01:00" }],
      [{ priority: "lowest", retries: 5, tags: {} }, {}],
      [{}, { provisionerId: "test", workerType: "queue" }],
    ];
    for (const [first, second] of equivalents)
      expect(await twice(first, second)).toMatchObject({ state: "pending" });
  });

  it.each<[string, Partial<TaskDefinitionRequest>]>([
    ["payload", { payload: { a: 1 } }],
    ["priority", { priority: "low" }],
    ["created", { created: "2026-01-01T00:00:00.001Z" }],
    ["expires", { expires: "2026-01-02T00:00:00.001Z" }],
    ["order of scopes", { scopes: ["b", "a"] }],
    ["order of routes", { routes: ["b", "a"] }],
    ["group", { taskGroupId: slugid() }],
  ])("with a different %s is a conflict", async (_, change) => {
    await expect(twice({ scopes: ["a", "b"], routes: ["a", "b"] }, { ...change })).rejects.toMatchObject(
      conflict,
    );
  });

  it("made concurrently with different definitions succeeds for one of them only", async () => {
    const taskId = slugid();
    const calls = ["a", "b", "c", "d"].map((kind) => create({ tags: { kind } }, taskId));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toMatchObject(conflict);
    const { tags } = await definitionOf(taskId);
    expect((await eventsOf(taskId)).map(({ payload }) => payload.task?.tags)).toEqual([tags, tags]);
  });
});

describe("dependencies", () => {
  it("that are unresolved leave the task unscheduled; only task-defined is published", async () => {
    const required = await create();
    const { taskId, state, runs } = await create({ dependencies: [required.taskId] });
    expect({ state, runs }).toEqual({ state: "unscheduled", runs: [] });
    expect(summarize(await eventsOf(taskId))).toEqual(["task-defined"]);
  });

  it.each<["completed" | "failed" | "canceled", "all-completed" | "all-resolved", string]>([
    ["completed", "all-completed", "pending"],
    ["failed", "all-completed", "unscheduled"],
    ["canceled", "all-completed", "unscheduled"],
    ["completed", "all-resolved", "pending"],
    ["failed", "all-resolved", "pending"],
    ["canceled", "all-resolved", "pending"],
  ])("that are already %s: a task that requires %s is %s", async (as, requires, state) => {
    const { taskId } = await create();
    await resolve(taskId, as);
    expect((await create({ dependencies: [taskId], requires })).state).toBe(state);
  });

  it("must all be satisfied, each by its latest run", async () => {
    const [done, again, open] = [await create(), await create(), await create()];
    for (const { taskId } of [done, again]) await resolve(taskId, "completed");
    await stack.client.queue.rerunTask({ taskId: again.taskId });
    const stateOf = async (...of: { taskId: string }[]) =>
      (await create({ dependencies: of.map(({ taskId }) => taskId) })).state;
    expect(await stateOf(done)).toBe("pending");
    expect(await stateOf(again)).toBe("unscheduled");
    expect(await stateOf(done, open)).toBe("unscheduled");
  });

  it("may include the task itself, which then waits for scheduleTask", async () => {
    const taskId = slugid();
    expect((await create({ dependencies: [taskId] }, taskId)).state).toBe("unscheduled");
    expect((await stack.client.queue.scheduleTask({ taskId })).status.state).toBe("pending");
    await resolve(taskId, "completed");
    expect(summarize(await eventsOf(taskId)).at(-1)).toBe("task-completed 0");
  });

  it("that do not exist are listed in the error, and nothing is written", async () => {
    const [known, taskId, taskGroupId] = [await create(), slugid(), slugid()];
    const missing = [slugid(), slugid()].sort();
    const dependencies = [known.taskId, ...missing];
    await expect(create({ dependencies, taskGroupId }, taskId)).rejects.toMatchObject({
      code: "InputError",
      statusCode: 400,
      message: `The definition references non-existing tasks in its dependencies; create them first:\n  * ${missing.join("\n  * ")}`,
    });
    await expect(definitionOf(taskId)).rejects.toMatchObject({ statusCode: 404 });
    await expect(stack.client.queue.getTaskGroup({ taskGroupId })).rejects.toMatchObject({ statusCode: 404 });
    expect(await eventsOf(taskId)).toEqual([]);
  });

  it("that expire before the deadline are listed in the error, and nothing is written", async () => {
    const early = await create({ deadline: now, expires: "2026-01-01T00:30:00Z" });
    const taskId = slugid();
    await expect(create({ dependencies: [early.taskId] }, taskId)).rejects.toMatchObject({
      code: "InputError",
      message: `Dependencies of the task expire before its deadline (2026-01-01T01:00:00.000Z); bring the deadline forward, or let them expire later:\n  * ${early.taskId}`,
    });
    await expect(definitionOf(taskId)).rejects.toMatchObject({ statusCode: 404 });
    expect((await create({ dependencies: [early.taskId], deadline: "2026-01-01T00:30:00Z" })).state).toBe(
      "unscheduled",
    );
  });

  it("are limited to ten thousand, without duplicates", async () => {
    const { taskId: required } = await create();
    await resolve(required, "completed");
    const many = [required, ...Array.from({ length: 9_999 }, () => slugid())];
    await expect(create({ dependencies: many })).rejects.toMatchObject({ code: "InputError" });
    await expect(create({ dependencies: [...many, slugid()] })).rejects.toMatchObject({
      code: "InputValidationError",
      message: expect.stringContaining("data/dependencies must NOT have more than 10000 items"),
    });
    await expect(create({ dependencies: [required, required] })).rejects.toMatchObject({
      message: expect.stringContaining("must NOT have duplicate items"),
    });
  });
});

describe("the group", () => {
  it("is created by its first task, and expires one hour after the task that expires last", async () => {
    const taskGroupId = slugid();
    const { queue } = stack.client;
    for (const [day, expires] of [
      [3, "2026-01-03T01:00:00.000Z"],
      [2, "2026-01-03T01:00:00.000Z"],
      [4, "2026-01-04T01:00:00.000Z"],
    ] as const) {
      await create({ taskGroupId, schedulerId: "s", expires: `2026-01-0${day}T00:00:00Z` });
      expect(await queue.getTaskGroup({ taskGroupId })).toEqual({ taskGroupId, schedulerId: "s", expires });
    }
  });

  it("belongs to one scheduler, also when two create it concurrently", async () => {
    const taskGroupId = slugid();
    const calls = ["one", "two", "one", "two"].map((schedulerId) => create({ taskGroupId, schedulerId }));
    const results = await Promise.allSettled(calls);
    const { schedulerId } = await stack.client.queue.getTaskGroup({ taskGroupId });
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    const other = schedulerId === "one" ? "two" : "one";
    await expect(create({ taskGroupId, schedulerId: other })).rejects.toMatchObject({
      code: "RequestConflict",
      message: `Task group ${taskGroupId} contains tasks with schedulerId "${schedulerId}"; this task has schedulerId "${other}". All tasks of a group must have the same.`,
    });
    const matchingGroups = await stack.database.db.run(sql`
      select from task_groups where task_group_id = ${taskGroupId} and unresolved = 2`);
    expect(matchingGroups).toBe(1);
  });

  it("accepts no more tasks once it is sealed, not even a repeated one", async () => {
    const { taskId } = await create();
    await stack.database.db.run(sql`
      update task_groups set sealed = ${now}::timestamptz where task_group_id = ${taskId}`);
    const sealed = {
      code: "RequestConflict",
      message: `Task group ${taskId} was sealed at ${now}: no task can be added to it. Choose another group.`,
    };
    await expect(create({ taskGroupId: taskId })).rejects.toMatchObject(sealed);
    await expect(create({}, taskId)).rejects.toMatchObject(sealed);
  });
});

describe("scopes", () => {
  const required = [
    "scope:of:task",
    "queue:route:index.a",
    "queue:create-task:project:p",
    "queue:scheduler-id:s",
    "queue:create-task:medium:test/queue",
  ];
  const base = { scopes: ["scope:of:task"], routes: ["index.a"], projectId: "p", schedulerId: "s" } as const;
  const createAs = async (scopes: readonly string[], overrides: Partial<TaskDefinitionRequest>) => {
    const limited = stack.limited(scopes);
    return limited.queue.createTask(
      { taskId: slugid() },
      body({ ...base, scopes: [...base.scopes], routes: ["index.a"], ...overrides }),
    );
  };

  it("are required for each scope, each route, the project, the scheduler and the queue", async () => {
    await createAs(required, { priority: "medium" });
    for (const missing of required) {
      const others = required.filter((scope) => scope !== missing);
      await expect(createAs(others, { priority: "medium" })).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(missing),
      });
    }
  });

  it("for a priority permit lower ones too", async () => {
    await createAs(required, { priority: "low" });
    await createAs(required, {});
    await expect(createAs(required, { priority: "high" })).rejects.toMatchObject({
      code: "InsufficientScopes",
      message: expect.stringContaining("queue:create-task:high:test/queue"),
    });
  });

  it("are checked after the task queue is determined, and before the dates are checked", async () => {
    const late = { deadline: "2025-01-01T00:00:00Z" };
    await expect(
      createAs([], { ...late, taskQueueId: "a/b", provisionerId: "x", workerType: "y" }),
    ).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining('taskQueueId must match "provisionerId/workerType"'),
    });
    await expect(createAs([], late)).rejects.toMatchObject({ code: "InsufficientScopes" });
    await expect(createAs(required, late)).rejects.toMatchObject({ code: "InputError" });
  });
});

describe("tasks that are created concurrently", () => {
  it("share statements; an invalid one does not affect the others", async () => {
    const [shared, missing] = [slugid(), slugid()];
    await create({ taskGroupId: shared, schedulerId: "s" });
    const calls = Array.from({ length: 60 }, (_, i) => {
      if (i % 10 === 3) return create({ taskGroupId: shared, schedulerId: "other" });
      if (i % 10 === 5) return create({ dependencies: [missing] });
      if (i % 10 === 7) return create({ deadline: now, created: "2026-01-01T00:00:01Z" });
      return create({ taskGroupId: shared, schedulerId: "s" });
    });
    const codes = (await Promise.allSettled(calls)).map((result) =>
      result.status === "fulfilled" ? "created" : (result.reason as { code: string }).code,
    );
    for (const [i, code] of codes.entries())
      expect(code).toBe({ 3: "RequestConflict", 5: "InputError", 7: "InputError" }[i % 10] ?? "created");
    const { tasks } = await stack.client.queue.listTaskGroup({ taskGroupId: shared });
    expect(tasks).toHaveLength(43);
  });
});
