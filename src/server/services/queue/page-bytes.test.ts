// Replies are bounded in bytes: lists of large definitions have more pages, and claims fewer runs.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTask } from "../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { slugid } from "../../../lib/slugid.ts";
import { PAGE_BYTES } from "../../core/pagination.ts";
import { sql } from "../../core/sql.ts";
import { insertTasks, type NewTask } from "./tasks/store/insert-tasks.ts";

let stack: Stack;
const taskGroupId = slugid();
const taskQueueId = `test/q${Date.now()}`;
const now = Date.now();
/** A page has two of them, since the first one does not fill it. */
const COUNT = 5;

const large = (bytes: number, dependencies: string[] = []): NewTask =>
  newTask({ taskGroupId, taskQueueId, dependencies, payload: { filler: "x".repeat(bytes) } }, now);
const root = newTask({ taskGroupId: slugid(), taskQueueId: "test/other" }, now);
const tasks = Array.from({ length: COUNT }, () => large(0.7 * PAGE_BYTES));
const dependents = Array.from({ length: 3 }, () => large(1.1 * PAGE_BYTES, [root.taskId]));
const idsOf = (some: readonly NewTask[]): string[] => some.map(({ taskId }) => taskId).sort();

beforeAll(async () => {
  stack = await testStack({ checked: false, manualLoops: true });
  for (const task of [root, ...tasks, ...dependents])
    await insertTasks(stack.database.db, [task], new Date(now).toISOString(), 0);
});

afterAll(() => stack.stop());

/** Follows the tokens, and returns the ids of each page. */
async function pagesOf<P extends { readonly continuationToken?: string | undefined }>(
  read: (query: { continuationToken?: string }) => Promise<P>,
  ids: (page: P) => readonly string[],
): Promise<string[][]> {
  const pages: string[][] = [];
  let query: { continuationToken?: string } = {};
  while (pages.length < 20) {
    const page = await read(query);
    expect(JSON.stringify(page).length).toBeLessThan(4 * PAGE_BYTES);
    pages.push([...ids(page)]);
    if (page.continuationToken === undefined) return pages;
    query = { continuationToken: page.continuationToken };
  }
  throw new Error("the list does not end");
}
const sizes = (pages: readonly string[][]): number[] => pages.map(({ length }) => length);

describe("a list of large definitions has pages of a few megabytes", () => {
  it("listTaskGroup", async () => {
    const pages = await pagesOf(
      (query) => stack.client.queue.listTaskGroup({ taskGroupId }, { query }),
      (page) => page.tasks.map(({ status }) => status.taskId),
    );
    expect(pages.flat()).toEqual(idsOf([...tasks, ...dependents]));
    expect(Math.max(...sizes(pages))).toBeLessThanOrEqual(2);
  });

  it("listDependentTasks, in which each definition fills a page", async () => {
    const pages = await pagesOf(
      (query) => stack.client.queue.listDependentTasks({ taskId: root.taskId }, { query }),
      (page) => page.tasks.map(({ status }) => status.taskId),
    );
    expect(pages).toEqual(idsOf(dependents).map((id) => [id]));
  });

  it("tasks", async () => {
    // The ids are read in chunks of some thousand, which share the bytes of a page.
    const taskIds = [...idsOf(tasks), ...Array.from({ length: 10_000 }, slugid)];
    const pages = await pagesOf(
      (query) => stack.client.queue.tasks({ taskIds }, { query }),
      (page) => page.tasks.map(({ taskId }) => taskId),
    );
    expect(pages.flat()).toEqual(idsOf(tasks));
    expect(sizes(pages)).toEqual([2, 2, 1]);
  });

  it("listPendingTasks, claimWork and listClaimedTasks", async () => {
    const pending = await pagesOf(
      (query) => stack.client.queue.listPendingTasks({ taskQueueId }, { query }),
      (page) => page.tasks.map(({ taskId }) => taskId),
    );
    expect(pending.flat()).toEqual(tasks.map(({ taskId }) => taskId));
    expect(sizes(pending)).toEqual([2, 2, 1]);

    // While the first one claims, the others come to wait, and share a statement in which the second one fills the reply.
    const claim = (workerId: string) =>
      stack.client.queue.claimWork({ taskQueueId }, { workerGroup: "g", workerId, tasks: 32 });
    const replies = await Promise.all([claim("a"), claim("b"), claim("c")]);
    expect(replies.map((reply) => reply.tasks.length).toSorted((a, b) => a - b)).toEqual([1, 2, 2]);
    expect(replies.flatMap((reply) => reply.tasks.map(({ status }) => status.taskId)).sort()).toEqual(
      pending.flat().sort(),
    );

    const claimed = await pagesOf(
      (query) => stack.client.queue.listClaimedTasks({ taskQueueId }, { query }),
      (page) => page.tasks.map(({ taskId }) => taskId),
    );
    expect(claimed.flat().sort()).toEqual(idsOf(tasks));
    expect(sizes(claimed)).toEqual([2, 2, 1]);
  });

  it("the timeline reads only the names of large tasks", async () => {
    const { tasks: timed } = await stack.client.queue.taskGroupTimeline({ taskGroupId });
    expect(new Set(timed.map(({ name }) => name))).toEqual(new Set(["a task"]));
  });
});

it("statuses of tasks with very many runs fill a page too", async () => {
  const { db } = stack.database;
  const some = Array.from({ length: 30 }, () => newTask({ taskQueueId: "test/many-runs" }, now));
  await insertTasks(db, some, new Date(now).toISOString(), 0);
  const taskIds = idsOf(some);
  // As if each had 1,000 runs, which is the maximum.
  await db.run(sql`update tasks set run_count = 1000 where task_id = any(${taskIds}::text[])`);
  const pages = await pagesOf(
    (query) => stack.client.queue.statuses({ taskIds }, { query }),
    (page) => page.statuses.map(({ taskId }) => taskId),
  );
  expect(pages.flat()).toEqual(taskIds);
  expect(sizes(pages)).toEqual([24, 6]);
});
