// `taskyard task why` as a user sees it, with a whole server behind it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { runCli } from "../support/captured-io.ts";
import { createTask } from "../support/factories.ts";
import { runningTask } from "../support/running-task.ts";
import { testStack, type Stack } from "../support/stack.ts";

let stack: Stack;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await testStack();
  env = {
    TASKCLUSTER_ROOT_URL: stack.rootUrl,
    TASKCLUSTER_CLIENT_ID: stack.rootCredentials.clientId,
    TASKCLUSTER_ACCESS_TOKEN: stack.rootCredentials.accessToken,
  };
});
afterAll(() => stack.stop());

const why = (...words: string[]) => runCli(["task", "why", ...words], { env });

async function failed(): Promise<string> {
  const { taskId, run, worker } = await runningTask(stack);
  await worker.queue.reportFailed(run);
  return taskId;
}

test("a task that waits in vain: for what, and what to run again, in order", async () => {
  const root = await failed();
  const middle = await createTask(stack.client, { dependencies: [root] });
  await stack.client.queue.cancelTask({ taskId: middle });
  const taskId = await createTask(stack.client, { dependencies: [middle] });
  const { status, out } = await why(taskId);
  expect(status).toBe(0);
  expect(out).toBe(
    [
      `${taskId}  unscheduled in test/queue`,
      "  The task waits for a dependency: 1 exception.",
      `    Dependency ${middle} ended as exception (canceled), and has to complete: it can be met only after it is run again.`,
      `      Dependency ${root} ended as failed (failed), and has to complete: it can be met only after it is run again.`,
      "",
      "What to do:",
      `  taskyard task rerun ${root}   (after: taskyard task why ${root})`,
      `  taskyard task rerun ${middle}   (after: taskyard task why ${middle})`,
      "",
    ].join("\n"),
  );
});

test("a task that ended: how, and where to look", async () => {
  const taskId = await failed();
  const { out } = await why(taskId);
  expect(out).toMatch(/^ {2}Run 0 ended at \S+: worker group\/worker reported that the task failed\.$/m);
  expect(out).toContain(`What to do:\n  taskyard task log ${taskId}; taskyard task rerun ${taskId}\n`);
});

test("many dependencies: the first of them, and that there are more", async () => {
  const dependencies = await Promise.all(Array.from({ length: 30 }, () => createTask(stack.client)));
  const taskId = await createTask(stack.client, { dependencies });
  const { out } = await why(taskId);
  expect(out.match(/^ {4}Dependency /gm)).toHaveLength(20);
  expect(out).toContain("\n    … and 10 more, which --json shows\n");
  const all = JSON.parse((await why("--json", taskId)).out) as { reasons: { code: string }[] };
  expect(all.reasons.filter(({ code }) => code === "dependency-waits")).toHaveLength(30);
});

test("a running task: who holds it; nothing is to be done", async () => {
  const { taskId } = await runningTask(stack);
  const { out } = await why(taskId);
  expect(out).toMatch(/^ {2}Run 0 is held by worker group\/worker since \S+; the claim lasts until \S+\.$/m);
  expect(out).not.toContain("What to do");
});

test("a task that is not there", async () => {
  const taskId = slugid();
  expect(await why(taskId)).toMatchObject({
    status: 1,
    err: expect.stringContaining(`Task ${taskId} does not exist`),
  });
});
