// The commands that find earlier tasks and groups, with a real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../test/support/captured-io.ts";
import { createTask, taskDefinition } from "../../test/support/factories.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import type { TaskDefinitionRequest } from "../api/queue/task.ts";
import { slugid } from "../lib/slugid.ts";

let stack: Stack;
let env: Stack["env"];
const hour = 3_600_000;

const cli = (words: string | string[], more: Readonly<Record<string, string>> = {}) =>
  runCli(typeof words === "string" ? words.split(" ") : words, { env: { ...env, ...more } });
const table = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ {2,}/));
const columnOf = (out: string, column: number) => table(out).map((row) => row[column]);

/** Creates a task as if so many hours ago. */
async function add(name: string, hoursAgo: number, overrides: Partial<TaskDefinitionRequest> = {}) {
  const metadata = { ...taskDefinition().metadata, name };
  const taskId = await createTask(stack.client, { metadata, ...overrides });
  const created = new Date(Date.now() - hoursAgo * hour).toISOString();
  await stack.database.db.run({
    text: `
      with g as (update task_groups set created = $1::timestamptz where task_group_id = $2)
      update tasks set created = $1::timestamptz where task_id = $2`,
    values: [created, taskId],
  });
  return taskId;
}

beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
  ({ env } = stack);
});
afterAll(() => stack.stop());

test("without tasks, the lists say so", async () => {
  expect(await cli("task list")).toEqual({ status: 0, out: "", err: "there are no tasks\n" });
  expect(await cli("group list")).toEqual({ status: 0, out: "", err: "there are no groups\n" });
});

let ids: readonly string[] = [];
/** Creates the tasks of the following tests once. */
async function createTasks(): Promise<void> {
  if (ids.length > 0) return;
  ids = [
    await add("build\u001b[2J linux", 100),
    await add("build macos", 50, { taskQueueId: "test/macs", projectId: "apps/mac" }),
    await add("deploy", 1.5, { schedulerId: "ci" }),
    await add("source of deploy", 0.2, { taskQueueId: "taskyard/source" }),
    await add("check", 0.1),
  ];
  const run = { taskId: ids[2] ?? "", runId: 0 };
  await stack.client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
  await stack.client.queue.reportFailed(run);
}

describe("task list", () => {
  beforeAll(createTasks);

  test("shows tasks in a table, newest first, without the sources of folders", async () => {
    const { status, out, err } = await cli("task list");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(table(out)).toEqual([
      ["TASK", "STATE", "CREATED", "DURATION", "QUEUE", "NAME"],
      [ids[4], "pending", expect.stringMatching(/^6m \d+s ago$/), "-", "test/queue", "check"],
      [ids[2], "failed", "1h 30m ago", expect.stringMatching(/^\d+ms$|s$/), "test/queue", "deploy"],
      [ids[1], "pending", "2d 2h ago", "-", "test/macs", "build macos"],
      [ids[0], "pending", "4d 4h ago", "-", "test/queue", "build [2J linux"],
    ]);
    const colored = await cli("task list --state failed", { FORCE_COLOR: "1" });
    expect(colored.out).toContain("\u001b[31mfailed\u001b[39m");
  });

  test.each([
    ["--name BUILD", ["build macos", "build [2J linux"]],
    ["--state failed", ["deploy"]],
    ["--state running,failed --state exception", ["deploy"]],
    ["--since 2h", ["check", "deploy"]],
    ["--until 2d", ["build macos", "build [2J linux"]],
    ["--since 3d --until 1h", ["deploy", "build macos"]],
    ["--task-queue taskyard/source", ["source of deploy"]],
    ["--task-queue test/macs", ["build macos"]],
    ["--project apps/mac", ["build macos"]],
    ["--scheduler ci", ["deploy"]],
    ["--all", ["check", "deploy", "build macos", "build [2J linux"]],
  ])("%s", async (words, names) => {
    const { out, err } = await cli(`task list ${words}`);
    expect(columnOf(out, 5).slice(1)).toEqual(names);
    expect(err).toBe("");
  });

  test("takes dates and times as they are printed, in the zone of the user", async () => {
    const at = new Date(Date.now() - 60 * hour);
    for (const since of [at.toISOString(), at.toISOString().replace("Z", "+00:00"), "60 hours", "60h ago"])
      expect(columnOf((await cli(["task", "list", "--since", since])).out, 0)).toHaveLength(4);
    const day = new Date(Date.now() + 48 * hour).toISOString().slice(0, 10);
    expect((await cli(["task", "list", "--since", day])).err).toBe("no tasks match these options\n");
    expect(columnOf((await cli(["task", "list", "--until", day])).out, 0)).toHaveLength(5);
  });

  test("prints a limited number, over several pages, and says that there may be more", async () => {
    const { out, err } = await cli("task list --limit 2");
    expect(columnOf(out, 5)).toEqual(["NAME", "check", "deploy"]);
    expect(err).toBe("… and possibly more: use --limit or --all\n");
    expect((await cli("task list --limit 4")).err).toBe("");
  });

  test("prints one object with --json", async () => {
    const { out } = await cli("task list --json --limit 1 --name deploy");
    const { tasks } = await stack.client.queue.listTasks({ query: { name: "deploy" } });
    expect(JSON.parse(out)).toEqual({ tasks: tasks.filter(({ name }) => name === "deploy") });
  });

  test.each([
    ["--since tomorrow", '--since tomorrow: must be a duration such as 2h or "3 days", or a time such as'],
    ["--until 2026-02-30", "--until 2026-02-30: must be a duration"],
    ["--since 1h --until 2h", "--since 1h is not before --until 2h: use an earlier --since"],
    ["--state done", "--state done: must be one of unscheduled, pending, running, completed, failed"],
    ["--task-queue x", "--task-queue x: must be a task queue such as local/default"],
    ["--project a:b", "--project a:b: must be 1 to 500 letters"],
    ["--scheduler a.b", "--scheduler a.b: must be 1 to 38 letters"],
    ["--all --limit 3", "--all and --limit: use one of them"],
    ["--limit 0", "--limit 0: must be a whole number, at least 1"],
  ])("%s is a usage error", async (words, message) => {
    const { status, out, err } = await cli(`task list ${words}`);
    expect(err).toContain(`error: ${message}`);
    expect({ status, out }).toEqual({ status: 2, out: "" });
  });
});

describe("group list", () => {
  beforeAll(createTasks);

  test("shows groups, newest first, by name, time and state", async () => {
    const { status, out, err } = await cli("group list --until 3m");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(table(out)).toEqual([
      ["GROUP", "STATE", "CREATED", "NAME"],
      [ids[4], "1 unresolved", expect.stringMatching(/^6m \d+s ago$/), "check"],
      [ids[3], "1 unresolved", expect.stringMatching(/^12m \d+s ago$/), "source of deploy"],
      [ids[2], "resolved", "1h 30m ago", "deploy"],
      [ids[1], "1 unresolved", "2d 2h ago", "build macos"],
      [ids[0], "1 unresolved", "4d 4h ago", "build [2J linux"],
    ]);
    const named = async (words: string) => columnOf((await cli(`group list ${words}`)).out, 3).slice(1);
    expect(await named("--state resolved")).toEqual(["deploy"]);
    expect(await named("--state unresolved --since 3d --until 1h")).toEqual(["build macos"]);
    expect(await named("--name BUILD --limit 1")).toEqual(["build macos"]);
    expect(await named("--scheduler ci")).toEqual(["deploy"]);
    const { out: text } = await cli("group list --json --state resolved");
    expect(JSON.parse(text)).toEqual(
      await stack.client.queue.listTaskGroups({ query: { resolved: "true" } }),
    );
    expect((await cli("group list --state failed")).err).toContain(
      "--state failed: must be resolved or unresolved",
    );
    expect((await cli("group list --name nothing")).err).toBe("no groups match these options\n");
  });
});

test("group status lists tasks in the order in which they started, with colored states", async () => {
  const taskGroupId = slugid();
  // Ids in the reverse order of the starts.
  const taskIds = Array.from({ length: 6 }, () => slugid())
    .sort()
    .reverse();
  const names = ["first", "second", "third", "fourth", "waiting 2", "waiting 10"];
  for (const [i, taskId] of taskIds.entries()) {
    const metadata = { ...taskDefinition().metadata, name: names[i] ?? "" };
    await stack.client.queue.createTask({ taskId }, taskDefinition({ taskGroupId, metadata }));
  }
  for (const [i, taskId] of taskIds.slice(0, 4).entries()) {
    const run = { taskId, runId: 0 };
    await stack.client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
    await stack.database.db.run({
      text: "update runs set started = now() + $1 * interval '1 second' where task_id = $2",
      values: [i, taskId],
    });
    if (i === 0) await stack.client.queue.reportCompleted(run);
    if (i === 1) await stack.client.queue.reportFailed(run);
  }
  const { out } = await cli(`group status ${taskGroupId}`);
  const lines = table(out).slice(2);
  expect(lines.map((row) => row[0])).toEqual(["TASK", ...taskIds]);
  expect(lines.map((row) => row.at(-1))).toEqual(["NAME", ...names]);
  const colored = await cli(`group status ${taskGroupId}`, { FORCE_COLOR: "1" });
  expect(colored.out).toContain(`${taskIds[0]}  \u001b[32mcompleted\u001b[39m`);
  expect(colored.out).toContain(`${taskIds[1]}  \u001b[31mfailed\u001b[39m`);
  expect(colored.out).toContain(`${taskIds[2]}  \u001b[33mrunning\u001b[39m`);
  expect(colored.out).toContain(`${taskIds[4]}  pending  `);
});
