// The output of `taskyard task why`, with a real server.
import { afterAll, beforeAll, expect, test } from "vitest";
import { sql } from "../../src/server/core/sql.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { runCli } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { runningTask } from "../support/running-task.ts";
import { testStack, type Stack } from "../support/stack.ts";

let stack: Stack;
let env: Stack["env"];
beforeAll(async () => {
  stack = await testStack();
  ({ env } = stack);
});
afterAll(() => stack.stop());

const why = (...words: string[]) => runCli(["task", "why", ...words], { env });

async function failed(): Promise<string> {
  const { taskId, run, worker } = await runningTask(stack);
  await worker.queue.reportFailed(run);
  return taskId;
}

test("lists the failed dependencies of a task and what to rerun, in order", async () => {
  const root = await failed();
  const middle = await createTask(stack.client, { dependencies: [root] });
  await stack.client.queue.cancelTask({ taskId: middle });
  const taskId = await createTask(stack.client, { dependencies: [middle] });
  const { status, out } = await why(taskId);
  expect(status).toBe(0);
  expect(out).toBe(
    [
      `${taskId}  a task  unscheduled in test/queue`,
      "  The task waits for a dependency: 1 exception.",
      `    Dependency ${middle} (a task) was resolved as exception (canceled) but has to complete: it can be met only by a rerun.`,
      `      Dependency ${root} (a task) was resolved as failed (failed) but has to complete: it can be met only by a rerun.`,
      "",
      "What to do:",
      `  taskyard task rerun ${root}   (after: taskyard task why ${root})`,
      `  taskyard task rerun ${middle}   (after: taskyard task why ${middle})`,
      "",
    ].join("\n"),
  );
});

test("shows how a resolved task ended, and what to look at", async () => {
  const taskId = await failed();
  const { out } = await why(taskId);
  expect(out).toMatch(
    /^ {2}Run 0 ended at \d{4}-\d\d-\d\d [\d:]{8} \S{6}: worker group\/worker reported that the task failed\.$/m,
  );
  expect(out).toContain(`What to do:\n  taskyard task log ${taskId}\n  taskyard task rerun ${taskId}\n`);
});

test("suggests a new task instead of a rerun for a malformed payload", async () => {
  const { taskId, run, worker } = await runningTask(stack);
  await worker.queue.reportException(run, { reason: "malformed-payload" });
  const dependent = await createTask(stack.client, { dependencies: [taskId] });
  const own = await why(taskId);
  expect(own.out).toContain("create a new task with a valid payload");
  const { out } = await why(dependent);
  expect(out).toContain(`create new tasks for ${taskId} and its dependents: its payload is malformed`);
  for (const text of [own.out, out]) expect(text).not.toContain("taskyard task rerun");
});

test("suggests a new task after the deadline has passed", async () => {
  const root = await createTask(stack.client);
  const taskId = await createTask(stack.client, { dependencies: [root] });
  await stack.client.queue.cancelTask({ taskId: root });
  await stack.client.queue.cancelTask({ taskId });
  await stack.database.db.run(sql`update tasks set deadline = now() - interval '1 second'`);
  const { out } = await why(taskId);
  expect(out.slice(out.indexOf("What to do"))).toBe(
    [
      "What to do:",
      `  create new tasks for ${root} and its dependents: its deadline has passed, so it cannot be rerun`,
      "  create a new task: the deadline has passed, so this one cannot be rerun",
      "",
    ].join("\n"),
  );
});

test("shows task names on one line, without control characters", async () => {
  const taskId = await createTask(stack.client, {
    metadata: { name: "two\nlines\u001b[31m", description: "", owner: "a@b.c", source: "http://localhost/" },
  });
  expect((await why(taskId)).out).toContain(`${taskId}  two lines [31m  pending in`);
});

test("omits names without the scope to read definitions", async () => {
  const closed = await testStack({ config: { access: "results" } });
  try {
    const taskId = await createTask(closed.client);
    const { out } = await runCli(["task", "why", taskId], { env: { TASKCLUSTER_ROOT_URL: closed.rootUrl } });
    expect(out).toMatch(new RegExp(`^${taskId}  pending in test/queue\n`));
  } finally {
    await closed.stop();
  }
});

test("lists the first 20 dependencies and counts the rest", async () => {
  const dependencies = await Promise.all(Array.from({ length: 30 }, () => createTask(stack.client)));
  const taskId = await createTask(stack.client, { dependencies });
  const { out } = await why(taskId);
  expect(out.match(/^ {4}Dependency /gm)).toHaveLength(20);
  expect(out).toContain("\n    … and 10 more; --json prints all\n");
  const all = JSON.parse((await why("--json", taskId)).out) as { reasons: { code: string }[] };
  expect(all.reasons.filter(({ code }) => code === "dependency-waits")).toHaveLength(30);
});

test("shows the worker of a running task, without advice", async () => {
  const { taskId } = await runningTask(stack);
  const { out } = await why(taskId);
  expect(out).toMatch(
    /^ {2}Run 0 is held by worker group\/worker since [\d: +-]{26}; the claim lasts until [\d: +-]{26}\.$/m,
  );
  expect(out).not.toContain("What to do");
});

test("an unknown task is an error", async () => {
  const taskId = slugid();
  expect(await why(taskId)).toMatchObject({
    status: 1,
    err: expect.stringContaining(`Task ${taskId} does not exist`),
  });
});
