// Reading many tasks with one call, and those that depend on one.
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
  // Whoever has no scopes of his own may do nothing.
  stack = await testStack({ clock, roles: ["api"], config: { auth: { anonymousScopes: [] } } });
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

/** The ids that a page of either method is about. */
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

/** Everything that is listed, in pages of `limit`; `between` is done after each page. */
async function pageByPage(
  list: (query: Query) => Promise<Page>,
  limit: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<{ seen: string[]; pages: number }> {
  const seen: string[] = [];
  let pages = 0;
  let next: string | undefined;
  do {
    const page = await list({ limit: String(limit), ...(next !== undefined && { continuationToken: next }) });
    seen.push(...page.ids);
    next = page.continuationToken;
    pages++;
    await between();
  } while (next !== undefined);
  return { seen, pages };
}

describe("the definitions of many tasks", () => {
  it("are what each task tells by itself", async () => {
    const { tasks } = await stack.client.queue.tasks({ taskIds: ids });
    for (const { taskId, task } of tasks) expect(task).toEqual(await stack.client.queue.task({ taskId }));
    expect(tasks).toHaveLength(7);
  });
});

describe("the statuses of many tasks", () => {
  it("are what each task tells by itself", async () => {
    const { statuses } = await stack.client.queue.statuses({ taskIds: ids });
    for (const { taskId, status } of statuses)
      expect({ status }).toEqual(await stack.client.queue.status({ taskId }));
    expect(statuses).toHaveLength(7);
  });
});

describe.each(Object.entries(lists))("%s", (name, list) => {
  it("come in order of ids, each once, without those that nobody knows", async () => {
    const asked = [slugid(), ...ids.toReversed(), ids[2] ?? "", "nonsense", "", "\0", "é", slugid()];
    expect(await list(asked)).toEqual({ ids });
    expect(await list([slugid(), "%"])).toEqual({ ids: [] });
    expect(await list([])).toEqual({ ids: [] });
  });

  it("need no list: then there are none", async () => {
    const method = stack.client.queue[name === "tasks" ? "tasks" : "statuses"];
    expect(await method({})).toEqual({ [name]: [] });
  });

  it("come page by page: each once, whatever the size of a page", async () => {
    for (const limit of [1, 2, 3, 6, 7, 8, 1_000_000]) {
      const { seen, pages } = await pageByPage((query) => list([...ids, slugid()], query), limit);
      expect(seen).toEqual(ids);
      expect(pages).toBe(Math.ceil(7 / limit));
    }
  });

  it("keep their place while tasks come, and while the list changes", async () => {
    const asked = [...ids, slugid(), slugid(), slugid()];
    const unknown = asked.slice(7);
    const { seen } = await pageByPage(
      (query) => list(asked.reverse(), query),
      1,
      async () => {
        const taskId = unknown.pop();
        if (taskId === undefined) return;
        const definition = await stack.client.queue.task({ taskId: ids[0] ?? "" });
        await stack.client.queue.createTask({ taskId }, { ...definition, taskGroupId: taskId });
      },
    );
    expect(seen.filter((taskId) => ids.includes(taskId))).toEqual(ids);
    expect(seen).toEqual([...new Set(seen)].toSorted());
  });

  it("may be as many as fit a request, and keep nobody else waiting", async () => {
    many ??= Array.from({ length: 390_000 }, () => slugid());
    const body = JSON.stringify({ taskIds: [...many, ...ids] });
    const path = `/api/queue/v1/${name === "tasks" ? "tasks" : "tasks/status"}`;
    const { rootUrl, rootCredentials: credentials } = stack;
    // The longest time in which this process, which is the server too, did nothing else.
    let longest = 0;
    const began = performance.now();
    let last = began;
    let ended = false;
    const look = (): void => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      if (!ended) setImmediate(look);
    };
    setImmediate(look);
    const reply = await rawCall(rootUrl, { method: "POST", path, body, credentials, now: clock.now() });
    ended = true;
    expect([reply.status, reply.message]).toEqual([200, ""]);
    expect(reply.body).toMatchObject({ [name]: ids.map((taskId) => ({ taskId })) });
    // Parsing the text is what is left; it was 60% of the time when all ids were looked at in one go, and is 8%.
    expect(longest / (performance.now() - began)).toBeLessThan(0.35);
  });

  it("are not listed from a place that no page ended at, or in pages of nothing", async () => {
    await expect(list(ids, { continuationToken: "?" })).rejects.toMatchObject({
      code: "InputError",
      message: expect.stringContaining("Invalid continuation token"),
    });
    await expect(list(ids, { limit: "0" })).rejects.toMatchObject({
      code: "InvalidRequestArguments",
      message: expect.stringContaining("limit must be at least 1"),
    });
  });

  it("take the scope of every id, also of those that nobody knows", async () => {
    const scope = name === "tasks" ? "queue:get-task:" : "queue:status:";
    const [one = "", other = ""] = ids;
    const { queue } = stack.limited([`${scope}${one}`]);
    const ask = (taskIds: string[]) => queue[name === "tasks" ? "tasks" : "statuses"]({ taskIds });
    expect(await ask([one])).toMatchObject({ [name]: [{ taskId: one }] });
    for (const taskId of [other, slugid()])
      await expect(ask([one, taskId])).rejects.toMatchObject({
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

  it("are told with definition and status, in order of ids", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const own: string[] = [];
    for (const requires of ["all-completed", "all-resolved", "all-completed"] as const)
      own.push(
        await createTask(stack.client, { dependencies: [taskId, ids[0] ?? ""], requires }, clock.now()),
      );
    await stack.client.queue.cancelTask({ taskId: own[0] ?? "" });
    const reply = await dependents(taskId);
    expect(reply.taskId).toBe(taskId);
    expect(reply.tasks.map(({ status }) => status.taskId)).toEqual(own.toSorted());
    for (const { task, status } of reply.tasks) {
      expect(task).toEqual(await stack.client.queue.task(status));
      expect({ status }).toEqual(await stack.client.queue.status(status));
    }
  });

  it("are none where nobody depends on it, and itself where it does", async () => {
    const alone = await createTask(stack.client, {}, clock.now());
    expect(await dependents(alone)).toEqual({ taskId: alone, tasks: [] });
    const taskId = slugid();
    const definition = await stack.client.queue.task({ taskId: alone });
    await stack.client.queue.defineTask({ taskId }, { ...definition, taskGroupId: taskId });
    expect((await page(taskId, {})).ids).toEqual([taskId]);
  });

  it("come page by page, each once, while others come", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const add = () => createTask(stack.client, { dependencies: [taskId] }, clock.now());
    const own = [await add(), await add(), await add(), await add(), await add()].toSorted();
    for (const limit of [1, 2, 5, 6]) {
      const { seen, pages } = await pageByPage((query) => page(taskId, query), limit);
      expect(seen).toEqual(own);
      expect(pages).toBe(Math.ceil(5 / limit));
    }
    const { seen } = await pageByPage(
      (query) => page(taskId, query),
      1,
      async () => {
        if (own.length < 8) own.push(await add());
      },
    );
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen).toEqual(expect.arrayContaining(own.slice(0, 5)));
  });

  it("are told until they expire", async () => {
    const taskId = await createTask(stack.client, {}, clock.now());
    const expires = new Date(clock.now() + 7_200_000).toISOString();
    const brief = await createTask(stack.client, { dependencies: [taskId], expires }, clock.now());
    const lasting = await createTask(stack.client, { dependencies: [taskId] }, clock.now());
    expect((await page(taskId, {})).ids).toEqual([brief, lasting].toSorted());
    await clock.advance(7_200_001);
    expect((await page(taskId, {})).ids).toEqual([lasting]);
  });
});
