// Task queues, worker types and provisioners over HTTP.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { sql } from "../../../core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"], config: { queue: { claimWorkTimeout: 1 } } });
});
afterAll(() => stack.stop());
beforeEach(() => stack.database.db.run(sql`delete from task_queues`));

const requestWork = (taskQueueId: string) =>
  stack.client.queue.claimWork({ taskQueueId }, { workerGroup: "g", workerId: "w", tasks: 1 });
const activity = {
  description: "",
  stability: "experimental",
  expires: expect.any(String),
  lastDateActive: expect.any(String),
};

/** Returns the ids on each page of a list. */
async function pages<T>(
  get: (query: { limit: string; continuationToken?: string }) => Promise<{ continuationToken?: string } & T>,
  idsOf: (page: T) => string[],
  limit: number,
  between?: (page: number) => Promise<unknown>,
): Promise<string[][]> {
  const all: string[][] = [];
  let token: string | undefined;
  do {
    const page = await get({
      limit: String(limit),
      ...(token !== undefined && { continuationToken: token }),
    });
    all.push(idsOf(page));
    await between?.(all.length);
    token = page.continuationToken;
  } while (token !== undefined);
  return all;
}
const queuePages = (limit: number, between?: (page: number) => Promise<unknown>) =>
  pages(
    (query) => stack.client.queue.listTaskQueues({ query }),
    (page) => page.taskQueues.map((q) => q.taskQueueId),
    limit,
    between,
  );

describe("a task queue", () => {
  it("exists once a worker has requested work from it, under each of its names", async () => {
    await requestWork("a/b");
    const { queue } = stack.client;
    const taskQueue = await queue.getTaskQueue({ taskQueueId: "a/b" });
    expect(taskQueue).toEqual({ taskQueueId: "a/b", ...activity });
    expect(Date.parse(taskQueue.expires) - Date.parse(taskQueue.lastDateActive)).toBe(86_400_000);
    const names = { provisionerId: "a", workerType: "b" };
    expect(await queue.getWorkerType(names)).toEqual({ ...taskQueue, ...names, actions: [] });
    const { taskQueueId: _, ...same } = taskQueue;
    expect(await queue.getProvisioner({ provisionerId: "a" })).toEqual({
      provisionerId: "a",
      ...same,
      actions: [],
    });
  });

  it("does not exist before that or after it has expired", async () => {
    await requestWork("b/old");
    await stack.client.queue.getTaskQueue({ taskQueueId: "b/old" });
    await stack.database.db.run(sql`update task_queues set expires = now() - interval '1 second'`);
    const { queue } = stack.client;
    for (const [provisionerId, workerType] of [
      ["b", "old"],
      ["b", "never"],
    ] as const) {
      const message = `Task queue b/${workerType} does not exist: no worker has requested work from it recently.`;
      await expect(queue.getTaskQueue({ taskQueueId: `b/${workerType}` })).rejects.toThrow(message);
      await expect(queue.getWorkerType({ provisionerId, workerType })).rejects.toThrow(message);
    }
    await expect(queue.getProvisioner({ provisionerId: "b" })).rejects.toThrow(
      "Provisioner b does not exist: no worker has requested work from one of its queues recently.",
    );
    expect(await queue.listTaskQueues()).toEqual({ taskQueues: [] });
    expect(await queue.listProvisioners()).toEqual({ provisioners: [] });
    expect(await queue.listWorkerTypes({ provisionerId: "b" })).toEqual({ workerTypes: [] });
  });
});

describe("declareWorkerType", () => {
  const names = { provisionerId: "d", workerType: "e" };

  it("creates a queue, changes only what it is given, and never shortens the expiry", async () => {
    const { queue } = stack.client;
    const created = await queue.declareWorkerType(names, {});
    expect(created).toEqual({ ...names, taskQueueId: "d/e", ...activity, actions: [] });
    expect(Date.parse(created.expires) - Date.parse(created.lastDateActive)).toBe(5 * 86_400_000);
    const expires = "2099-01-01T00:00:00.000Z";
    await queue.declareWorkerType(names, { description: "big ones", expires });
    await queue.declareWorkerType(names, { stability: "stable", expires: "2030-01-01T00:00:00.000Z" });
    const declared = { description: "big ones", stability: "stable", expires };
    await requestWork("d/e");
    expect(await queue.getWorkerType(names)).toMatchObject(declared);
    expect(await queue.getTaskQueue({ taskQueueId: "d/e" })).toMatchObject(declared);
    expect((await queue.listWorkerTypes({ provisionerId: "d" })).workerTypes).toMatchObject([declared]);
  });

  it("requires a scope for each property, and a valid name", async () => {
    const scope = "queue:declare-worker-type:d/e#description";
    const { queue } = stack.limited([scope]);
    await queue.declareWorkerType(names, { description: "allowed" });
    await expect(queue.declareWorkerType(names, { description: "x", stability: "stable" })).rejects.toThrow(
      "queue:declare-worker-type:d/e#stability",
    );
    await expect(
      stack.client.queue.declareWorkerType({ provisionerId: "d", workerType: "E" }, {}),
    ).rejects.toThrow("d/E is not a valid task queue");
    await expect(queue.declareWorkerType(names, {})).rejects.toThrow("queue:declare-worker-type:d/e#");
  });
});

describe("declareProvisioner", () => {
  it("returns the provisioner unchanged, or 404 if no queue has it", async () => {
    await requestWork("f/g");
    const { queue } = stack.client;
    const declared = await queue.declareProvisioner(
      { provisionerId: "f" },
      { description: "x", actions: [] },
    );
    expect(declared).toEqual(await queue.getProvisioner({ provisionerId: "f" }));
    expect(declared).toMatchObject({ description: "", actions: [] });
    await expect(queue.declareProvisioner({ provisionerId: "none" }, {})).rejects.toThrow(
      "Provisioner none does not exist",
    );
  });

  it("requires a scope for each property", async () => {
    const { queue } = stack.limited(["queue:declare-provisioner:f#description"]);
    await expect(
      queue.declareProvisioner({ provisionerId: "f" }, { description: "x", stability: "stable" }),
    ).rejects.toThrow("queue:declare-provisioner:f#stability");
    await expect(queue.declareProvisioner({ provisionerId: "f" }, {})).rejects.toThrow(
      "queue:declare-provisioner:f#",
    );
  });
});

describe("the list of task queues", () => {
  it("in pages of one contains each once while others are added and removed", async () => {
    for (const id of ["q/b", "q/d", "q/f"]) await requestWork(id);
    const listed = await queuePages(1, async (page) => {
      if (page !== 1) return;
      await Promise.all([requestWork("q/a"), requestWork("q/c")]);
      await stack.client.queue.listTaskQueues();
      await stack.database.db.run(sql`delete from task_queues where task_queue_id in ('q/b', 'q/d')`);
    });
    expect(listed).toEqual([["q/b"], ["q/c"], ["q/f"]]);
    expect(await queuePages(2)).toEqual([["q/a", "q/c"], ["q/f"]]);
  });

  it("omits expired ones without shortening a page", async () => {
    for (const id of ["q/a", "q/b", "q/c"]) await requestWork(id);
    await stack.client.queue.listTaskQueues();
    await stack.database.db.run(
      sql`update task_queues set expires = now() - interval '1 second' where task_queue_id = 'q/b'`,
    );
    expect(await queuePages(2)).toEqual([["q/a", "q/c"]]);
  });
});

describe("worker types and provisioners", () => {
  // A dash sorts before the slash, a digit and a letter after it.
  const ids = ["a-b/x", "a/x", "a/y", "a/z", "a0/x", "aa/x", "b/x"];

  it("of one provisioner are not mixed with those of others, whatever their common prefix", async () => {
    for (const id of ids) await requestWork(id);
    const list = (limit: number) =>
      pages(
        (query) => stack.client.queue.listWorkerTypes({ provisionerId: "a" }, { query }),
        (page) => page.workerTypes.map((w) => w.taskQueueId),
        limit,
      );
    expect(await list(10)).toEqual([["a/x", "a/y", "a/z"]]);
    expect(await list(1)).toEqual([["a/x"], ["a/y"], ["a/z"]]);
    const { workerTypes } = await stack.client.queue.listWorkerTypes({ provisionerId: "aa" });
    expect(workerTypes).toEqual([{ provisionerId: "aa", workerType: "x", taskQueueId: "aa/x", ...activity }]);
  });

  it("are each listed once, with the latest times of their queues", async () => {
    for (const id of ids) await requestWork(id);
    await stack.client.queue.listTaskQueues();
    await stack.database.db.run(sql`
      update task_queues set expires = '2099-01-01', last_date_active = '2098-01-01' where task_queue_id = 'a/y'`);
    const list = (limit: number) =>
      pages(
        (query) => stack.client.queue.listProvisioners({ query }),
        (page) => page.provisioners.map((p) => p.provisionerId),
        limit,
      );
    expect(await list(1)).toEqual([["a"], ["a-b"], ["a0"], ["aa"], ["b"]]);
    expect(await list(10)).toEqual([["a", "a-b", "a0", "aa", "b"]]);
    expect(await stack.client.queue.getProvisioner({ provisionerId: "a" })).toMatchObject({
      expires: "2099-01-01T00:00:00.000Z",
      lastDateActive: "2098-01-01T00:00:00.000Z",
    });
  });
});

describe("scopes", () => {
  it.each([
    ["/task-queues", ["queue:list-task-queues"]],
    ["/task-queues/a%2Fb", ["queue:get-task-queue:a/b"]],
    ["/task-queues/a%2Fb/counts", ["queue:pending-count:a/b", "queue:claimed-count:a/b"]],
    ["/task-queues/a/b/counts", ["queue:pending-count:a/b", "queue:claimed-count:a/b"]],
    ["/task-queues/a%2Fb/pending", ["queue:pending-list:a/b"]],
    ["/task-queues/a/b/pending", ["queue:pending-list:a/b"]],
    ["/task-queues/a%2Fb/claimed", ["queue:claimed-list:a/b"]],
    ["/task-queues/a/b/claimed", ["queue:claimed-list:a/b"]],
    ["/pending/a%2Fb", ["queue:pending-count:a/b"]],
    ["/pending/a/b", ["queue:pending-count:a/b"]],
    ["/provisioners", ["queue:list-provisioners"]],
    ["/provisioners/a", ["queue:get-provisioner:a"]],
    ["/provisioners/a/worker-types", ["queue:list-worker-types:a"]],
    ["/provisioners/a/worker-types/b", ["queue:get-worker-type:a/b"]],
    ["/provisioners/a/worker-types/b/workers", ["queue:list-workers:a/b"]],
    ["/provisioners/a/worker-types/b/workers/g/w", ["queue:get-worker:a/b/g/w"]],
  ])("GET %s requires all of these", async (path, scopes) => {
    await requestWork("a/b");
    const statusWith = async (authorizedScopes: readonly string[]) =>
      (
        await rawCall(stack.rootUrl, {
          method: "GET",
          path: `/api/queue/v1${path}`,
          credentials: stack.rootCredentials,
          authorizedScopes,
        })
      ).status;
    expect(await statusWith(scopes)).toBe(200);
    // Some of them are granted to every caller.
    const isPublic = (scope: string) =>
      /^queue:((pending|claimed)-count|list-(provisioners|worker-types|workers)|get-(provisioner|worker-type|worker)\b)/.test(
        scope,
      );
    for (const missing of scopes.filter((scope) => !isPublic(scope)))
      expect(await statusWith(scopes.filter((scope) => scope !== missing))).toBe(403);
  });
});

describe("the overview", () => {
  it("lists the queues of workers and those with tasks, with their counts, in pages", async () => {
    await requestWork("over/idle");
    for (const taskQueueId of ["over/unserved", "over/served", "over/served"])
      await createTask(stack.client, { taskQueueId });
    await requestWork("over/served");
    const lastDateActive = expect.any(String);
    const all = await stack.client.queue.taskQueueOverview();
    expect(all).toEqual({
      taskQueues: [
        { taskQueueId: "over/idle", pendingTasks: 0, claimedTasks: 0, lastDateActive },
        { taskQueueId: "over/served", pendingTasks: 1, claimedTasks: 1, lastDateActive },
        { taskQueueId: "over/unserved", pendingTasks: 1, claimedTasks: 0 },
      ],
    });
    const found = await pages(
      (query) => stack.client.queue.taskQueueOverview({ query }),
      (page) => page.taskQueues.map((q) => q.taskQueueId),
      2,
    );
    expect(found).toEqual([["over/idle", "over/served"], ["over/unserved"]]);
  });
});
