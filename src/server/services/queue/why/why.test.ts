// The reasons for a task's state, for each state.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";
import { unmetDependencies } from "./dependencies.ts";

const minute = 60_000;
const clock = manualClock();
const worker = { workerGroup: "g", workerId: "w" };
let stack: Stack;
beforeAll(async () => {
  // Loops run only when a test runs them.
  const queue = { claimTimeout: minute, deadlineDelay: minute };
  stack = await testStack({ clock, manualLoops: true, config: { queue } });
});
afterAll(() => stack.stop());

const create = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  createTask(stack.client, overrides, clock.now());
const claim = (taskId: string, runId = 0) => stack.client.queue.claimTask({ taskId, runId }, worker);
const why = (taskId: string) => stack.client.queue.why({ taskId });
/** Returns the code and task of each reason. */
const codesOf = async (taskId: string) => (await why(taskId)).reasons.map((r) => `${r.code} ${r.taskId}`);
const at = (ms: number): string => new Date(clock.now() + ms).toISOString();
const summariesOf = async (taskId: string) => (await why(taskId)).reasons.map(({ summary }) => summary);
async function failed(): Promise<string> {
  const taskId = await create();
  await claim(taskId);
  await stack.client.queue.reportFailed({ taskId, runId: 0 });
  return taskId;
}

describe("an unscheduled task", () => {
  it("has its unsatisfied dependencies with their states as reasons, and theirs, down to the roots", async () => {
    const taskQueueId = "why/roots";
    const root = await create({ taskQueueId });
    const middle = await create({ dependencies: [root] });
    const running = await create();
    await claim(running);
    const taskId = await create({ dependencies: [middle, running] });
    const { state, taskQueueId: own, asked, reasons } = await why(taskId);
    expect({ state, own, asked }).toEqual({ state: "unscheduled", own: "test/queue", asked: at(0) });
    const requires = "all-completed";
    expect(reasons.slice(0, 4)).toMatchObject([
      {
        code: "dependencies-unmet",
        summary: "The task waits for 2 dependencies: 1 running, 1 unscheduled.",
        unmet: 2,
        states: { running: 1, unscheduled: 1 },
      },
      { code: "dependency-waits", taskId: running, requiredBy: taskId, depth: 1, requires, state: "running" },
      { code: "dependency-waits", taskId: middle, requiredBy: taskId, depth: 1, state: "unscheduled" },
      { code: "dependency-waits", taskId: root, requiredBy: middle, depth: 2, state: "pending" },
    ]);
    // And the reasons why the roots are unresolved.
    expect(reasons.slice(4).map(({ code, taskId: id }) => [code, id])).toEqual(
      expect.arrayContaining([
        ["running", running],
        ["position", root],
      ]),
    );
  });

  it("has a failed dependency as a reason until that is rerun", async () => {
    const required = await failed();
    const taskId = await create({ dependencies: [required, await create()] });
    const { reasons } = await why(taskId);
    expect(reasons[1]).toEqual({
      code: "dependency-failed",
      summary: `Dependency ${required} was resolved as failed (failed) but has to complete: it can be met only by a rerun.`,
      taskId: required,
      requiredBy: taskId,
      depth: 1,
      requires: "all-completed",
      state: "failed",
      reasonResolved: "failed",
      deadline: at(60 * minute),
    });
    await stack.client.queue.rerunTask({ taskId: required });
    expect(await codesOf(taskId)).not.toContain(`dependency-failed ${required}`);
  });

  it("has the reasons of a canceled dependency, which was itself waiting", async () => {
    const root = await failed();
    const middle = await create({ dependencies: [root] });
    const taskId = await create({ dependencies: [middle] });
    await stack.client.queue.cancelTask({ taskId: middle });
    expect(await codesOf(taskId)).toEqual([
      `dependencies-unmet ${taskId}`,
      `dependency-failed ${middle}`,
      `dependency-failed ${root}`,
    ]);
    // The canceled task has the same reasons itself.
    expect(await codesOf(middle)).toEqual([
      `resolved ${middle}`,
      `unknown ${middle}`,
      `dependencies-unmet ${middle}`,
      `dependency-failed ${root}`,
    ]);
  });

  it("may require itself, or a removed task", async () => {
    const taskId = slugid();
    const removed = await create();
    const definition = { dependencies: [taskId, removed] };
    await stack.client.queue.createTask(
      { taskId },
      { ...(await stack.client.queue.task({ taskId: removed })), ...definition, taskGroupId: removed },
    );
    await stack.database.db.run(sql`delete from tasks where task_id = ${removed}`);
    expect(await summariesOf(taskId)).toEqual([
      "The task waits for 2 dependencies: 1 missing, 1 unscheduled.",
      `Dependency ${removed} can never be met: it was removed after it expired.`,
      `Task ${taskId} requires itself: it starts only when scheduleTask is called.`,
    ]);
  });

  it("past its deadline has the time of its resolution", async () => {
    const taskId = await create({ dependencies: [await create()], deadline: at(minute) });
    await clock.advance(minute + 1);
    const [first] = (await why(taskId)).reasons;
    expect(first).toMatchObject({ code: "deadline-passed", deadline: at(-1), endsAfter: at(minute - 1) });
    expect(first?.summary).toContain(
      "it can no longer be claimed, and it is resolved as deadline-exceeded soon",
    );
    await clock.advance(minute);
    expect((await summariesOf(taskId))[0]).toContain("the loop that does this is late");
    await stack.runLoop("deadline");
    expect((await summariesOf(taskId))[0]).toContain("the task's deadline passed before it was scheduled");
  });

  it("that has no unsatisfied dependency is reported as inconsistent", async () => {
    const required = await create();
    const taskId = await create({ dependencies: [required] });
    await claim(required);
    await stack.client.queue.reportCompleted({ taskId: required, runId: 0 });
    const { db } = stack.database;
    await db.run(sql`delete from runs where task_id = ${taskId}`);
    await db.run(sql`update tasks set run_count = 0 where task_id = ${taskId}`);
    expect((await why(taskId)).reasons).toMatchObject([
      { code: "inconsistent", what: "no dependency is unmet, but the task was never scheduled" },
    ]);
    await db.run(sql`update task_dependencies set satisfied = false where dependent = ${taskId}`);
    expect((await why(taskId)).reasons[1]).toMatchObject({
      code: "inconsistent",
      what: `dependency ${required} is resolved but not counted`,
      taskId: required,
      requiredBy: taskId,
    });
    // Unless the release is in progress: very many dependents are released in batches.
    await db.run(sql`insert into unfinished_releases values (${required}, 'completed')`);
    expect(await codesOf(taskId)).toEqual([
      `dependencies-unmet ${taskId}`,
      `dependency-resolved ${required}`,
    ]);
    await db.run(sql`delete from unfinished_releases`);
  });

  it("has a limited number of reasons, with the limit among them", async () => {
    const chain = [await create()];
    for (let i = 0; i < 4; i++) chain.push(await create({ dependencies: chain.slice(-1) }));
    const [last = ""] = chain.slice(-1);
    const { db } = stack.database;
    const deep = await unmetDependencies({ db, clock }, last, { depth: 3 });
    expect(deep.reasons.at(-1)).toMatchObject({ code: "cut", at: "depth", limit: 3 });
    expect(deep.roots).toEqual([]);
    const whole = await unmetDependencies({ db, clock }, last, { depth: 4, count: 4 });
    expect(whole.reasons.map(({ code }) => code)).not.toContain("cut");
    expect(whole.roots).toEqual([{ taskId: chain[0], state: "pending" }]);
    const wide = await create({ dependencies: chain });
    const { reasons } = await unmetDependencies({ db, clock }, wide, { depth: 4, count: 4 });
    expect(reasons).toHaveLength(6);
    expect(reasons.at(-1)).toMatchObject({ code: "cut", at: "count", limit: 4 });
  });

  it("with many dependencies has each shared one once, up to the limit", async () => {
    const roots: string[] = [];
    for (let i = 0; i < 6; i++)
      roots.push(
        ...(await Promise.all(Array.from({ length: 50 }, () => create({ taskQueueId: "why/many" })))),
      );
    const middle = await Promise.all(
      Array.from({ length: 30 }, (_, i) => create({ dependencies: roots.slice(i * 5, i * 5 + 150) })),
    );
    const taskId = await create({ dependencies: [...middle, ...roots.slice(0, 20)] });
    const { reasons } = await why(taskId);
    expect(reasons[0]).toMatchObject({ unmet: 50, states: { pending: 20, unscheduled: 30 } });
    expect(reasons.filter(({ code }) => code === "dependency-waits")).toHaveLength(100);
    expect(reasons.find(({ code }) => code === "cut")).toMatchObject({ at: "count", limit: 100 });
  });
});

describe("a running task", () => {
  it("has its worker, the times of its claim, and whether the claim has expired", async () => {
    const taskId = await create();
    await claim(taskId);
    const started = at(0);
    expect((await why(taskId)).reasons).toEqual([
      {
        code: "running",
        summary: `Run 0 is held by worker g/w since ${started}; the claim lasts until ${at(minute)}.`,
        taskId,
        runId: 0,
        ...worker,
        started,
        takenUntil: at(minute),
      },
    ]);
    await clock.advance(minute + 1);
    expect((await why(taskId)).reasons).toMatchObject([
      { code: "running", summary: expect.stringContaining(`the claim ended at ${at(-1)}.`) },
      { code: "claim-expired", takenUntil: at(-1) },
    ]);
    await stack.runLoop("claim-expiry");
    const after = await why(taskId);
    expect(after.state).toBe("pending");
    expect(after.reasons.at(-1)).toMatchObject({ code: "earlier-run", reasonResolved: "claim-expired" });
  });

  it("past its deadline has that as a reason", async () => {
    const taskId = await create({ deadline: at(30_000) });
    await claim(taskId);
    await clock.advance(30_001);
    const [, late] = (await why(taskId)).reasons;
    expect(late).toMatchObject({ code: "deadline-passed" });
    expect(late?.summary).toContain("its claim can no longer be renewed");
  });
});

describe("a resolved task", () => {
  it("has its resolution and the worker", async () => {
    const taskId = await create();
    await claim(taskId);
    await stack.client.queue.reportCompleted({ taskId, runId: 0 });
    expect((await why(taskId)).reasons).toEqual([
      {
        code: "resolved",
        summary: `Run 0 ended at ${at(0)}: worker g/w completed it.`,
        taskId,
        runId: 0,
        state: "completed",
        reasonResolved: "completed",
        resolved: at(0),
        deadline: expect.any(String),
        ...worker,
      },
    ]);
  });

  it("that was canceled has the caller as unknown", async () => {
    const taskId = await create();
    await stack.client.queue.cancelTask({ taskId });
    expect((await why(taskId)).reasons).toMatchObject([
      { code: "resolved", summary: expect.stringContaining("it was canceled before a worker claimed it") },
      { code: "unknown", summary: "Who canceled it is not recorded.", about: "canceled by" },
    ]);
    await stack.database.db.run(sql`update task_groups set sealed = now() where task_group_id = ${taskId}`);
    expect(await codesOf(taskId)).toContain(`group-sealed ${taskId}`);
  });

  it("that was never scheduled has its dependencies, and those that can never be satisfied", async () => {
    const required = await create({ deadline: at(minute) });
    const taskId = await create({ dependencies: [required], deadline: at(minute) });
    const deadline = at(minute);
    await clock.advance(3 * minute);
    await stack.runLoop("deadline");
    const [, waited, dependency] = (await why(taskId)).reasons;
    expect(waited?.summary).toBe("The task waited for a dependency: 1 exception.");
    expect(dependency).toMatchObject({
      code: "dependency-failed",
      summary: `Dependency ${required} was resolved as exception (deadline-exceeded) but has to complete: it can never be met, since its deadline (${deadline}) has passed.`,
      deadline,
    });
    await expect(stack.client.queue.rerunTask({ taskId: required })).rejects.toThrow(
      /deadline .* has passed/,
    );
  });

  it("may have been resolved by its deadline, with or without a worker", async () => {
    const deadline = at(30_000);
    const [claimed, pending] = [await create({ deadline }), await create({ deadline })];
    await claim(claimed);
    await clock.advance(2 * minute);
    await stack.runLoop("deadline");
    expect((await summariesOf(claimed))[0]).toContain("the task's deadline passed while worker g/w held it");
    expect((await summariesOf(pending))[0]).toContain(
      "the task's deadline passed before a worker claimed it",
    );
  });
});

it("a task that does not exist is not found", async () => {
  const taskId = slugid();
  await expect(why(taskId)).rejects.toMatchObject({
    code: "ResourceNotFound",
    message: `Task ${taskId} does not exist: it was never created here, or has expired. Check the id and the root URL.`,
  });
});

describe("callers with few scopes", () => {
  let closed: Stack;
  beforeAll(async () => {
    closed = await testStack({ roles: ["api"], config: { access: "closed" } });
  });
  afterAll(() => closed.stop());
  const reasonsWith = async (taskId: string, scopes: readonly string[]) =>
    (await closed.limited(scopes).queue.why({ taskId })).reasons;

  it("get only what they could read by other methods, and the scopes that they lack", async () => {
    const dependency = await createTask(closed.client);
    const waits = await createTask(closed.client, { dependencies: [dependency] });
    const hidden = (...scopes: string[]) => ({
      code: "hidden",
      summary: `Reasons are left out that need scopes which the caller lacks: ${scopes.join(", ")}.`,
      taskId: expect.any(String),
      scopes,
    });
    expect(await reasonsWith(waits, [`queue:status:${waits}`])).toEqual([hidden("queue:status:*")]);
    const some = await reasonsWith(waits, [`queue:status:${waits}`, `queue:status:${dependency}`]);
    expect(some.map(({ code }) => code)).toEqual(["dependencies-unmet", "dependency-waits", "hidden"]);
    const queue = "test/queue";
    expect(await reasonsWith(dependency, [`queue:status:${dependency}`])).toEqual([
      hidden(`queue:claimed-count:${queue}`, `queue:list-workers:${queue}`, `queue:pending-count:${queue}`),
    ]);
    const counts = [`queue:status:${dependency}`, `queue:pending-count:${queue}`];
    expect((await reasonsWith(dependency, counts)).map(({ code }) => code)).toEqual(["position", "hidden"]);
  });

  it("get no reason that names a task whose status they may not read, and none about a group that they may not list", async () => {
    const root = await createTask(closed.client);
    const middle = await createTask(closed.client, { dependencies: [root] });
    const waits = await createTask(closed.client, { dependencies: [middle] });
    const scopes = [`queue:status:${waits}`, `queue:status:${root}`];
    const reasons = await reasonsWith(waits, scopes);
    expect(JSON.stringify(reasons)).not.toContain(middle);
    expect(reasons.at(-1)).toMatchObject({
      code: "hidden",
      scopes: expect.arrayContaining(["queue:status:*"]),
    });

    await closed.client.queue.cancelTask({ taskId: root });
    const { db } = closed.database;
    await db.run(sql`update task_dependencies set any_resolution = true where dependent = ${middle}`);
    const inconsistent = await reasonsWith(middle, [`queue:status:${middle}`]);
    expect(JSON.stringify(inconsistent)).not.toContain(root);
    expect((await reasonsWith(middle, ["queue:status:*"])).at(-1)).toMatchObject({
      code: "inconsistent",
      taskId: root,
    });

    await closed.client.queue.sealTaskGroup({ taskGroupId: root });
    const codes = async (...held: string[]) => (await reasonsWith(root, held)).map(({ code }) => code);
    expect(await codes(`queue:status:${root}`)).toEqual(["resolved", "unknown", "hidden"]);
    const both = [`queue:status:${root}`, `queue:list-task-group:${root}`];
    expect(await codes(...both)).toEqual(["resolved", "unknown", "group-sealed"]);
  });

  it("get everything with the scopes for it, as anonymous callers of an open instance have them", async () => {
    const taskId = await create();
    const all = ["queue:status:*", "queue:pending-count:*", "queue:claimed-count:*", "queue:list-workers:*"];
    const of = await createTask(closed.client);
    expect(await reasonsWith(of, all)).toEqual((await closed.client.queue.why({ taskId: of })).reasons);
    const { reasons } = await stack.as(undefined).queue.why({ taskId });
    expect(reasons).toEqual((await why(taskId)).reasons);
  });
});
