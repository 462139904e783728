// Tasks that are indexed by their routes when they complete.
import { afterAll, beforeAll, expect, it } from "vitest";
import { runningTask } from "../../../../test/support/running-task.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { until } from "../../../../test/support/until.ts";
import { slugid } from "../../../lib/slugid.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ consumers: true });
});
afterAll(() => stack.stop());

const prefix = `routes-${slugid()}`;
const find = (path: string) =>
  stack.client.index.findTask({ indexPath: path }).catch((err: { statusCode: number }) => {
    expect(err.statusCode).toBe(404);
    return undefined;
  });
const found = (path: string) => until(path, () => find(path));

/** Runs a task to its end. */
async function complete(paths: readonly string[], extra: Record<string, unknown> = {}) {
  const task = await runningTask(stack, { routes: paths.map((path) => `index.${path}`), extra });
  await task.worker.queue.reportCompleted(task.run);
  return task;
}
/** Waits until the consumer has handled the events so far. */
async function handled(): Promise<void> {
  const path = `${prefix}.${slugid()}`;
  await complete([path]);
  await found(path);
}

it("a completed task is found at all of its routes, with the defaults for rank, data and expiry", async () => {
  const paths = [`${prefix}.a.latest`, `${prefix}.a.b.c`, `top-${slugid()}`];
  const { taskId } = await complete(paths);
  const { expires } = await stack.client.queue.task({ taskId });
  for (const namespace of paths)
    expect(await found(namespace)).toEqual({ namespace, taskId, rank: 0, data: {}, expires });
  const { namespaces } = await stack.client.index.listNamespaces({ namespace: `${prefix}.a` });
  expect(namespaces).toMatchObject([{ namespace: `${prefix}.a.b`, name: "b" }]);
});

it("extra.index defines rank, data and expiry, and the higher rank stays", async () => {
  const path = `${prefix}.ranked`;
  const expires = "2099-01-01T00:00:00.000Z";
  const { taskId } = await complete([path], { index: { rank: 7.5, data: { a: [1] }, expires } });
  expect(await found(path)).toEqual({ namespace: path, taskId, rank: 7.5, data: { a: [1] }, expires });
  await complete([path], { index: { rank: 7 } });
  await handled();
  expect(await find(path)).toMatchObject({ taskId });
  const next = await complete([path], { index: { rank: 7.5 } });
  await until("the next task", async () => (await find(path))?.taskId === next.taskId);
});

it("a task whose rank, data or expiry is not valid is not indexed", async () => {
  const path = `${prefix}.invalid`;
  const tasks = await Promise.all(
    [
      { rank: "1" },
      { rank: null },
      { data: [] },
      { data: "x" },
      { expires: "soon" },
      { expires: "+012026-01-01T00:00:00Z" },
    ].map((index) => complete([path], { index })),
  );
  await handled();
  expect(await find(path)).toBeUndefined();
  for (const { taskId } of tasks)
    expect(stack.records).toContainEqual(
      expect.objectContaining({ taskId, msg: expect.stringContaining("task-not-indexed") }),
    );
});

it("an extra.index that is no object counts as absent, and routes that are no paths are ignored", async () => {
  const path = `${prefix}.odd`;
  const { taskId } = await complete([`a..b`, "", "with space", path], { index: "x" });
  expect(await found(path)).toMatchObject({ taskId, rank: 0 });
});

it("failed tasks are not indexed", async () => {
  const path = `${prefix}.failed`;
  const task = await runningTask(stack, { routes: [`index.${path}`] });
  await task.worker.queue.reportFailed(task.run);
  await handled();
  expect(await find(path)).toBeUndefined();
});

it("of many tasks with one route the one that completed last is found", async () => {
  const path = `${prefix}.same`;
  const tasks = await Promise.all(
    Array.from({ length: 30 }, () => runningTask(stack, { routes: [`index.${path}`] })),
  );
  for (const task of tasks) await task.worker.queue.reportCompleted(task.run);
  const last = tasks.at(-1)?.taskId;
  await until("the last task", async () => (await find(path))?.taskId === last);
  await handled();
  expect(await find(path)).toMatchObject({ taskId: last });
});
