// The lists of tasks and groups, newest first: filters, pages, what a call examines, and who may read them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask, newTask, taskDefinition } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { sql } from "../../../core/sql.ts";
import { PAGE_BYTES } from "../../../core/pagination.ts";
import { insertTasks } from "../tasks/store/insert-tasks.ts";

const clock = manualClock();
const start = clock.now();
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"], clock, config: { access: "closed" } });
});
afterAll(() => stack.stop());

const metadata = (name: string) => ({ ...taskDefinition().metadata, name });
/** Creates a task a minute after the previous one. */
async function add(name: string, overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> {
  await clock.advance(60_000);
  return createTask(stack.client, { metadata: metadata(name), ...overrides }, clock.now());
}
const iso = (ms: number) => new Date(ms).toISOString();
const names = (tasks: readonly { readonly name?: string }[]) => tasks.map(({ name }) => name);
type Query = Parameters<Stack["client"]["queue"]["listTasks"]>[0];
const list = async (query: NonNullable<NonNullable<Query>["query"]>) =>
  (await stack.client.queue.listTasks({ query })).tasks;

describe("listTasks", () => {
  const projectId = "lists/of.tasks";
  const run = { workerGroup: "g", workerId: "w" };
  let ids: readonly string[];
  beforeAll(async () => {
    const common = { projectId };
    ids = [
      await add("build linux", { ...common, schedulerId: "one" }),
      await add("Build macOS", { ...common, taskQueueId: "test/macs" }),
      await add('test "ß" \u2028 100%', common),
      await add("deploy", common),
      await add("publish", common),
    ];
    const [linux = "", macOs = "", , , publish = ""] = ids;
    await stack.client.queue.claimTask({ taskId: linux, runId: 0 }, run);
    await stack.client.queue.reportFailed({ taskId: linux, runId: 0 });
    await stack.client.queue.claimTask({ taskId: macOs, runId: 0 }, run);
    await stack.client.queue.cancelTask({ taskId: publish });
  });

  it("returns tasks with their state and times, newest first", async () => {
    const tasks = await list({ projectId });
    expect(names(tasks)).toEqual(["publish", "deploy", 'test "ß" \u2028 100%', "Build macOS", "build linux"]);
    const taskId = ids[0] ?? "";
    const { status } = await stack.client.queue.status({ taskId });
    expect(tasks.at(-1)).toEqual({
      taskId,
      taskGroupId: status.taskGroupId,
      taskQueueId: "test/queue",
      schedulerId: "one",
      projectId,
      name: "build linux",
      state: "failed",
      created: iso(start + 60_000),
      started: status.runs[0]?.started,
      resolved: status.runs[0]?.resolved,
      reasonResolved: "failed",
    });
    expect(tasks[1]).not.toHaveProperty("started");
  });

  it.each([
    ["a part of the name in any case", { name: "bUILD" }, ["Build macOS", "build linux"]],
    ["the name literally, not as a pattern", { name: '"ß" \u2028 100%' }, ['test "ß" \u2028 100%']],
    ["the name and not other text of definitions", { name: "nobody@example.com" }, []],
    ["a state", { state: "running" }, ["Build macOS"]],
    ["several states", { state: "failed,exception" }, ["publish", "build linux"]],
    ["a task queue", { taskQueueId: "test/macs" }, ["Build macOS"]],
    ["a scheduler", { schedulerId: "one" }, ["build linux"]],
    ["a time from which on it lists", { since: iso(start + 4 * 60_000) }, ["publish", "deploy"]],
    ["a time before which it lists", { until: iso(start + 3 * 60_000) }, ["Build macOS", "build linux"]],
    ["all of these", { name: "build", state: "failed", taskQueueId: "test/macs" }, []],
  ])("can be limited by %s", async (_, query, expected) => {
    expect(names(await list({ projectId, ...query }))).toEqual(expected);
  });

  it.each([
    ["since", "2026-02-30T00:00:00Z", "is not a time: use one such as 2026-01-31T12:00:00.000Z"],
    ["until", "0000-01-01T00:00:00Z", "is not a time: use one such as 2026-01-31T12:00:00.000Z"],
    ["since", "yesterday", "must match regular expression"],
    ["state", "done", "must match regular expression: '/^(unscheduled|pending|running"],
    ["limit", "0", "limit must be at least 1"],
  ])("refuses %s=%s", async (key, value, message) => {
    await expect(list({ [key]: value })).rejects.toMatchObject({
      code: "InvalidRequestArguments",
      message: expect.stringContaining(message),
    });
  });

  it("lists tasks and groups whose definitions have NUL or half of a surrogate pair", async () => {
    const common = { projectId: "unreadable", schedulerId: "unreadable" };
    await add("plain", { ...common, payload: { "\0": "\ud800" } });
    await add("a\0b \udc00 \\u0000", common);
    const expected = ["a\ufffdb \ufffd \\u0000", "plain"];
    expect(names(await list({ projectId: "unreadable" }))).toEqual(expected);
    expect(names(await list({ projectId: "unreadable", name: "\\U0000" }))).toEqual(expected.slice(0, 1));
    const query = { schedulerId: "unreadable" };
    expect(names((await stack.client.queue.listTaskGroups({ query })).taskGroups)).toEqual(expected);
  });

  it("orders tasks of one time by id, and continues between them", async () => {
    await clock.advance(60_000);
    const some = Array.from({ length: 7 }, () => newTask({ projectId: "one-time" }, clock.now()));
    await insertTasks(stack.database.db, some, iso(clock.now()), 0);
    const found: string[] = [];
    let continuationToken: string | undefined;
    do {
      const query = { limit: "3", ...(continuationToken !== undefined && { continuationToken }) };
      const page = await stack.client.queue.listTasks({ query });
      found.push(...page.tasks.map(({ taskId }) => taskId));
      ({ continuationToken } = page);
    } while (continuationToken !== undefined && found.length < 7);
    expect(found.slice(0, 7)).toEqual(
      some
        .map(({ taskId }) => taskId)
        .sort()
        .reverse(),
    );
  });
});

describe("one call", () => {
  it("examines at most 2,000 tasks, and continues after them", async () => {
    const { db } = stack.database;
    const of = await add("the oldest", { projectId: "many" });
    const copies = Array.from({ length: 2_500 }, () => slugid());
    await db.run(sql`
      with copy as (
        insert into tasks
        select (jsonb_populate_record(t, jsonb_build_object(
          'task_id', id, 'project_id', 'crowd', 'created', t.created + n * interval '1 millisecond'))).*
        from unnest(${copies}::text[]) with ordinality as c (id, n), tasks t where t.task_id = ${of}
        returning task_id
      )
      insert into task_definitions (task_id, definition)
      select c.task_id, d.definition from copy c, task_definitions d where d.task_id = ${of}`);
    for (const query of [{ projectId: "many" }, { name: "OLDEST", projectId: "many" }]) {
      const first = await stack.client.queue.listTasks({ query });
      expect(first).toEqual({ tasks: [], continuationToken: expect.any(String) });
      const { continuationToken = "" } = first;
      const next = await stack.client.queue.listTasks({ query: { ...query, continuationToken } });
      expect(next.tasks.map(({ taskId }) => taskId)).toEqual([of]);
    }
    // Without a filter, what is examined is what is returned.
    expect((await list({ limit: "3" })).map(({ projectId }) => projectId)).toEqual(Array(3).fill("crowd"));
  });

  it("reads the names of at most 8 MiB of definitions", async () => {
    await clock.advance(60_000);
    const large = Array.from({ length: 4 }, () =>
      newTask({ payload: { filler: "x".repeat(0.7 * PAGE_BYTES) }, projectId: "large" }, clock.now()),
    );
    for (const task of large) await insertTasks(stack.database.db, [task], iso(clock.now()), 0);
    const first = await stack.client.queue.listTasks({ query: { projectId: "large" } });
    expect(first.tasks).toHaveLength(2);
    const { continuationToken = "" } = first;
    expect(await list({ projectId: "large", continuationToken })).toHaveLength(2);
  });
});

describe("listTaskGroups", () => {
  const schedulerId = "lists-of-groups";
  const groups = async (query: Readonly<Record<string, string>> = {}) =>
    (await stack.client.queue.listTaskGroups({ query: { schedulerId, ...query } })).taskGroups;

  it("returns groups with what is unresolved, newest first, with filters", async () => {
    const named = await add("decide", { schedulerId });
    const created = clock.now();
    await add("later", { schedulerId, taskGroupId: named });
    const graph = slugid();
    const extra = { taskyard: { graph: "nightly" } };
    const member = await add("some task", { schedulerId, taskGroupId: graph, extra });
    const odd = await add("odd", { schedulerId, extra: { taskyard: { graph: { not: "a name" } } } });
    await stack.client.queue.cancelTask({ taskId: member });
    const { sealed } = await stack.client.queue.sealTaskGroup({ taskGroupId: graph });

    const { expires } = await stack.client.queue.getTaskGroup({ taskGroupId: named });
    const all = await groups();
    expect(all).toMatchObject([
      { taskGroupId: odd, name: "odd", unresolved: 1 },
      { taskGroupId: graph, name: "nightly", unresolved: 0, sealed },
      {},
    ]);
    expect(all[2]).toEqual({
      taskGroupId: named,
      schedulerId,
      name: "decide",
      created: iso(created),
      expires,
      unresolved: 2,
    });
    expect(names(await groups({ resolved: "true" }))).toEqual(["nightly"]);
    expect(names(await groups({ resolved: "false" }))).toEqual(["odd", "decide"]);
    expect(names(await groups({ name: "IGHT" }))).toEqual(["nightly"]);
    expect(names(await groups({ since: iso(created + 1) }))).toEqual(["odd", "nightly"]);
    expect(names(await groups({ until: iso(created + 1) }))).toEqual(["decide"]);
    expect(await groups({ schedulerId: "nobody" })).toEqual([]);
  });

  it("gives the time of its first task to a group of createTasks", async () => {
    const taskGroupId = slugid();
    const tasks = [slugid(), slugid()].map((taskId) => ({
      taskId,
      task: taskDefinition({ schedulerId: "graph", taskGroupId }, clock.now()),
    }));
    await stack.client.queue.createTasks({ tasks });
    expect(await groups({ schedulerId: "graph" })).toMatchObject([{ created: iso(clock.now()) }]);
  });
});

describe("scopes", () => {
  const call = (path: string, scopes: readonly string[]) =>
    rawCall(stack.rootUrl, {
      method: "GET",
      path: `/api/queue/v1${path}`,
      credentials: stack.rootCredentials,
      authorizedScopes: scopes,
      now: clock.now(),
    });
  const lacks = (scope: string) => [403, expect.stringContaining(`\n${scope}\n`)];

  it("of one project or scheduler let callers list only its tasks or groups", async () => {
    const projectId = `own-${Date.now()}`;
    const taskId = await add("own", { projectId, schedulerId: "own" });
    const scopes = [`queue:list-tasks:${projectId}`, "queue:list-task-groups:own"];
    const own = await call(`/tasks?projectId=${projectId}`, scopes);
    expect([own.status, own.body]).toMatchObject([200, { tasks: [{ taskId }] }]);
    const groups = await call("/task-groups?schedulerId=own", scopes);
    expect([groups.status, groups.body]).toMatchObject([200, { taskGroups: [{ schedulerId: "own" }] }]);
    for (const [path, scope] of [
      ["/tasks", "queue:list-tasks:*"],
      ["/tasks?projectId=many", "queue:list-tasks:many"],
      ["/task-groups", "queue:list-task-groups:*"],
      ["/task-groups?schedulerId=graph", "queue:list-task-groups:graph"],
    ] as const) {
      const { status, message } = await call(path, scopes);
      expect([status, message]).toEqual(lacks(scope));
    }
  });
});

it.each([
  ["closed", 403],
  ["results", 403],
  ["open", 200],
] as const)("with access: %s, callers without credentials get %d", async (access, status) => {
  // The first instance with open access stored the role, which all later ones use.
  await stack.database.db.run(sql`delete from roles where role_id = 'anonymous'`);
  const instance = await testStack({ roles: ["api"], database: stack.database, config: { access } });
  try {
    for (const path of ["/tasks", "/task-groups"]) {
      const reply = await rawCall(instance.rootUrl, { method: "GET", path: `/api/queue/v1${path}` });
      expect([path, reply.status]).toEqual([path, status]);
    }
  } finally {
    await instance.stop();
  }
});
