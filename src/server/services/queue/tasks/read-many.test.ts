// tasks, statuses and listDependentTasks: reading many tasks in one call.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../../../../../test/support/clock.ts";
import { createTask } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { slugid } from "../../../../lib/slugid.ts";

const clock = manualClock();
let stack: Stack;
const ids: string[] = [];
let many: string[] | undefined;
beforeAll(async () => {
  // A caller without scopes may do nothing.
  stack = await testStack({ clock, roles: ["api"], config: { access: "closed" } });
  for (let i = 0; i < 7; i++) ids.push(await createTask(stack.client, {}, clock.now()));
  ids.sort();
});
afterAll(() => stack.stop());

interface Page {
  readonly ids: readonly string[];
  readonly continuationToken?: string;
}
type Query = { readonly limit?: string; readonly continuationToken?: string };
const token = (page: { continuationToken?: string }) =>
  page.continuationToken === undefined ? {} : { continuationToken: page.continuationToken };

/** List one page of ids by either method. */
const lists: Readonly<Record<string, (taskIds: readonly string[], query?: Query) => Promise<Page>>> = {
  async tasks(taskIds, query = {}) {
    const page = await stack.client.queue.tasks({ taskIds: [...taskIds] }, { query });
    return { ids: page.tasks.map(({ taskId }) => taskId), ...token(page) };
  },
  async statuses(taskIds, query = {}) {
    const page = await stack.client.queue.statuses({ taskIds: [...taskIds] }, { query });
    return { ids: page.statuses.map(({ taskId }) => taskId), ...token(page) };
  },
};

/** Lists everything in pages of `limit`; runs `between` after each page. */
async function pageByPage(
  list: (query: Query) => Promise<Page>,
  limit: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<{ listed: string[]; pages: number }> {
  const listed: string[] = [];
  let pages = 0;
  let next: string | undefined;
  do {
    const page = await list({ limit: String(limit), ...(next !== undefined && { continuationToken: next }) });
    listed.push(...page.ids);
    next = page.continuationToken;
    pages++;
    await between();
  } while (next !== undefined);
  return { listed, pages };
}

describe("the definitions of many tasks", () => {
  it("equal those read one by one", async () => {
    const { tasks } = await stack.client.queue.tasks({ taskIds: ids });
    for (const { taskId, task } of tasks) expect(task).toEqual(await stack.client.queue.task({ taskId }));
    expect(tasks).toHaveLength(7);
  });
});

describe("the statuses of many tasks", () => {
  it("equal those read one by one", async () => {
    const { statuses } = await stack.client.queue.statuses({ taskIds: ids });
    for (const { taskId, status } of statuses)
      expect({ status }).toEqual(await stack.client.queue.status({ taskId }));
    expect(statuses).toHaveLength(7);
  });
});

describe.each(Object.entries(lists))("%s", (name, list) => {
  it("come in order of ids, each once, without unknown ids", async () => {
    const requested = [slugid(), ...ids.toReversed(), ids[2] ?? "", "nonsense", "", "\0", "é", slugid()];
    expect(await list(requested)).toEqual({ ids });
    expect(await list([slugid(), "%"])).toEqual({ ids: [] });
    expect(await list([])).toEqual({ ids: [] });
  });

  it("are none if the body has no list", async () => {
    const method = stack.client.queue[name === "tasks" ? "tasks" : "statuses"];
    expect(await method({})).toEqual({ [name]: [] });
  });

  it("come in pages of any size, each once", async () => {
    for (const limit of [1, 2, 3, 6, 7, 8, 1_000_000]) {
      const { listed, pages } = await pageByPage((query) => list([...ids, slugid()], query), limit);
      expect(listed).toEqual(ids);
      expect(pages).toBe(Math.ceil(7 / limit));
    }
  });

  it("continue correctly while tasks are added and the list is reordered", async () => {
    const requested = [...ids, slugid(), slugid(), slugid()];
    const unknown = requested.slice(7);
    const { listed } = await pageByPage(
      (query) => list(requested.reverse(), query),
      1,
      async () => {
        const taskId = unknown.pop();
        if (taskId === undefined) return;
        const definition = await stack.client.queue.task({ taskId: ids[0] ?? "" });
        await stack.client.queue.createTask({ taskId }, { ...definition, taskGroupId: taskId });
      },
    );
    expect(listed.filter((taskId) => ids.includes(taskId))).toEqual(ids);
    expect(listed).toEqual([...new Set(listed)].toSorted());
  });

  it("may be as many as fit a request, without blocking other work for long", async () => {
    many ??= Array.from({ length: 40_000 }, () => slugid());
    const body = JSON.stringify({ taskIds: [...many, ...ids] });
    const path = `/api/queue/v1/${name === "tasks" ? "tasks" : "tasks/status"}`;
    const { rootUrl, rootCredentials: credentials } = stack;
    // The longest time that the event loop of this process, which is also the server's, was blocked.
    let longestBlock = 0;
    const started = performance.now();
    let last = started;
    let isDone = false;
    const measure = (): void => {
      longestBlock = Math.max(longestBlock, performance.now() - last);
      last = performance.now();
      if (!isDone) setImmediate(measure);
    };
    setImmediate(measure);
    const reply = await rawCall(rootUrl, { method: "POST", path, body, credentials, now: clock.now() });
    isDone = true;
    expect([reply.status, reply.message]).toEqual([200, ""]);
    expect(reply.body).toMatchObject({ [name]: ids.map((taskId) => ({ taskId })) });
    // It was 60% when all of ten times as many ids were checked in one go.
    expect(longestBlock / (performance.now() - started)).toBeLessThan(0.5);
  });

  it("are not listed for an invalid continuation token or a limit of 0", async () => {
    await expect(list(ids, { continuationToken: "?" })).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("Invalid continuation token"),
    });
    await expect(list(ids, { limit: "0" })).rejects.toMatchObject({
      code: "InvalidRequestArguments",
      message: expect.stringContaining("limit must be at least 1"),
    });
  });

  it("require the scope of every id, also of unknown ones", async () => {
    const scope = name === "tasks" ? "queue:get-task:" : "queue:status:";
    const [one = "", other = ""] = ids;
    const { queue } = stack.limited([`${scope}${one}`]);
    const read = (taskIds: string[]) => queue[name === "tasks" ? "tasks" : "statuses"]({ taskIds });
    expect(await read([one])).toMatchObject({ [name]: [{ taskId: one }] });
    for (const taskId of [other, slugid()])
      await expect(read([one, taskId])).rejects.toMatchObject({
        code: "InsufficientScopes",
        message: expect.stringContaining(`${scope}${taskId}`),
      });
  });
});

describe("the dependents of a task", () => {
  const dependents = (taskId: string, query: Query = {}) =>
    stack.client.queue.listDependentTasks({ taskId }, { query });
  const page = async (taskId: string, query: Query): Promise<Page> => {
    const reply = await dependents(taskId, query);
    return { ids: reply.tasks.map(({ status }) => status.taskId), ...token(reply) };
  };

  it("are listed with definition and status, in order of ids", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const dependentIds: string[] = [];
    for (const requires of ["all-completed", "all-resolved", "all-completed"] as const)
      dependentIds.push(
        await createTask(stack.client, { dependencies: [taskId, ids[0] ?? ""], requires }, clock.now()),
      );
    await stack.client.queue.cancelTask({ taskId: dependentIds[0] ?? "" });
    const reply = await dependents(taskId);
    expect(reply.taskId).toBe(taskId);
    expect(reply.tasks.map(({ status }) => status.taskId)).toEqual(dependentIds.toSorted());
    for (const { task, status } of reply.tasks) {
      expect(task).toEqual(await stack.client.queue.task(status));
      expect({ status }).toEqual(await stack.client.queue.status(status));
    }
  });

  it("are none if no task depends on it, and include the task itself if it does", async () => {
    const alone = await createTask(stack.client, {}, clock.now());
    expect(await dependents(alone)).toEqual({ taskId: alone, tasks: [] });
    const taskId = slugid();
    const definition = await stack.client.queue.task({ taskId: alone });
    await stack.client.queue.defineTask({ taskId }, { ...definition, taskGroupId: taskId });
    expect((await page(taskId, {})).ids).toEqual([taskId]);
  });

  it("come in pages, each once, while others are added", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const add = () => createTask(stack.client, { dependencies: [taskId] }, clock.now());
    const dependentIds = [await add(), await add(), await add(), await add(), await add()].toSorted();
    for (const limit of [1, 2, 5, 6]) {
      const { listed, pages } = await pageByPage((query) => page(taskId, query), limit);
      expect(listed).toEqual(dependentIds);
      expect(pages).toBe(Math.ceil(5 / limit));
    }
    const { listed } = await pageByPage(
      (query) => page(taskId, query),
      1,
      async () => {
        if (dependentIds.length < 8) dependentIds.push(await add());
      },
    );
    expect(listed).toEqual([...new Set(listed)].toSorted());
    expect(listed).toEqual(expect.arrayContaining(dependentIds.slice(0, 5)));
  });

  it("are listed until they expire", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const expires = new Date(clock.now() + 7_200_000).toISOString();
    const expiring = await createTask(stack.client, { dependencies: [taskId], expires }, clock.now());
    const lasting = await createTask(stack.client, { dependencies: [taskId] }, clock.now());
    expect((await page(taskId, {})).ids).toEqual([expiring, lasting].toSorted());
    await clock.advance(7_200_001);
    expect((await page(taskId, {})).ids).toEqual([lasting]);
  });
});
