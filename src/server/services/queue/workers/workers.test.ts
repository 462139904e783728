// Workers over HTTP: reading, listing and declaring them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import type { ListedWorker } from "../../../../api/queue/workers.ts";
import { sql } from "../../../core/sql.ts";

const DAY = 86_400_000;
let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"], config: { queue: { claimWorkTimeout: 1 } } });
});
afterAll(() => stack.stop());

let queues = 0;
/** Returns the halves of a queue that no other test uses. */
const newQueue = () => ({ provisionerId: "test", workerType: `q-${++queues}` });
type Queue = ReturnType<typeof newQueue>;
const idOf = ({ provisionerId, workerType }: Queue): string => `${provisionerId}/${workerType}`;
const fromNow = (ms: number): string => new Date(Date.now() + ms).toISOString();

const requestWork = async (queue: Queue, workerId: string, workerGroup = "g") =>
  (await stack.client.queue.claimWork({ taskQueueId: idOf(queue) }, { workerGroup, workerId, tasks: 1 }))
    .tasks;
/** Requests work until it receives some: a claim that waits for one millisecond may time out before a statement runs. */
const getWork = (queue: Queue, workerId: string) =>
  until("a task", async () => (await requestWork(queue, workerId)).length > 0);
const get = (queue: Queue, workerId: string, workerGroup = "g") =>
  stack.client.queue.getWorker({ ...queue, workerGroup, workerId });
const names = (workers: readonly ListedWorker[]) => workers.map((w) => `${w.workerGroup}/${w.workerId}`);

/** Returns the names on each page of a list of workers. */
async function pagesOf(
  queue: Queue,
  query: Record<string, string>,
  between?: (page: number) => Promise<unknown>,
) {
  const pages: string[][] = [];
  let token: string | undefined;
  do {
    const next = token === undefined ? {} : { continuationToken: token };
    const reply = await stack.client.queue.listWorkers(queue, { query: { ...query, ...next } });
    pages.push(names(reply.workers));
    await between?.(pages.length);
    token = reply.continuationToken;
  } while (token !== undefined);
  return pages;
}

describe("a worker", () => {
  it("is known as soon as it has requested work, whether or not it received any", async () => {
    const queue = newQueue();
    const before = Date.now();
    expect(await requestWork(queue, "w")).toEqual([]);
    const worker = await get(queue, "w");
    expect(worker).toEqual({
      ...queue,
      taskQueueId: idOf(queue),
      workerGroup: "g",
      workerId: "w",
      firstClaim: expect.any(String),
      lastDateActive: worker.firstClaim,
      expires: new Date(Date.parse(worker.firstClaim) + DAY).toISOString(),
      recentTasks: [],
      // Never quarantined: in the past, as Taskcluster has it.
      quarantineUntil: `${Number(worker.firstClaim.slice(0, 4)) - 10}${worker.firstClaim.slice(4)}`,
      quarantineDetails: [],
      actions: [],
    });
    expect(Date.parse(worker.firstClaim)).toBeGreaterThanOrEqual(before);
  });

  it("has its tasks in the order of its claims, by claimTask or claimWork, and none twice", async () => {
    const queue = newQueue();
    const [first, second] = [
      await createTask(stack.client, { taskQueueId: idOf(queue) }),
      await createTask(stack.client, { taskQueueId: idOf(queue) }),
    ];
    const me = { workerGroup: "g", workerId: "w" };
    await stack.client.queue.claimTask({ taskId: second, runId: 0 }, me);
    await stack.client.queue.claimTask({ taskId: second, runId: 0 }, me);
    await getWork(queue, "w");
    await stack.client.queue.reclaimTask({ taskId: first, runId: 0 });
    expect((await get(queue, "w")).recentTasks).toEqual([
      { taskId: second, runId: 0 },
      { taskId: first, runId: 0 },
    ]);
    const { workers } = await stack.client.queue.listWorkers(queue);
    expect(workers).toMatchObject([{ ...me, latestTask: { taskId: first, runId: 0 } }]);
  });

  it("is seen when it reclaims a task", async () => {
    const queue = newQueue();
    const taskId = await createTask(stack.client, { taskQueueId: idOf(queue) });
    await getWork(queue, "w");
    const { lastDateActive } = await get(queue, "w");
    const updated = await stack.database.db.run(sql`
      update workers set last_date_active = last_date_active - interval '1 hour'
      where task_queue_id = ${idOf(queue)}`);
    expect(updated).toBe(1);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    expect(Date.parse((await get(queue, "w")).lastDateActive ?? "")).toBeGreaterThanOrEqual(
      Date.parse(lastDateActive ?? ""),
    );
    await stack.database.db.run(sql`delete from workers where task_queue_id = ${idOf(queue)}`);
    await stack.client.queue.reclaimTask({ taskId, runId: 0 });
    expect((await get(queue, "w")).recentTasks).toEqual([]);
  });

  it.each([
    ["was never seen", "update workers set worker_id = 'away' where worker_id = $1"],
    ["has expired", "update workers set expires = now() - interval '1 second' where worker_id = $1"],
    [
      "is of a queue that has expired",
      "update task_queues set expires = now() - interval '1 second' where true or $1 = ''",
    ],
    ["is of a queue that was removed", "delete from task_queues where true or $1 = ''"],
  ])("that %s is not found", async (_, text) => {
    const queue = newQueue();
    const workerId = `w-${queue.workerType}`;
    await requestWork(queue, workerId);
    await get(queue, workerId);
    await stack.database.db.run({ text, values: [workerId] });
    await expect(get(queue, workerId)).rejects.toThrow(
      `Worker g/${workerId} of ${idOf(queue)} does not exist: it has never requested work, or has expired.`,
    );
  });
});

describe("a worker seen by another process", () => {
  it("is known when that process has written it, at the latest when it stops", async () => {
    const other = await testStack({
      roles: ["api"],
      config: { queue: { claimWorkTimeout: 1, workerSeenInterval: 3_600_000 } },
      database: stack.database,
    });
    const queue = newQueue();
    await other.client.queue.claimWork(
      { taskQueueId: idOf(queue) },
      { workerGroup: "g", workerId: "w", tasks: 1 },
    );
    await expect(get(queue, "w")).rejects.toThrow("does not exist");
    await other.stop();
    expect(await get(queue, "w")).toMatchObject({ workerId: "w" });
  });
});

describe("the list of a queue's workers", () => {
  it("is in order of groups and ids, and empty for an unknown queue", async () => {
    const queue = newQueue();
    for (const [group, id] of [
      ["b", "a"],
      ["a", "z"],
      ["B", "x"],
      ["a", "a"],
      ["a-", "a"],
    ] as const)
      await requestWork(queue, id, group);
    expect(names((await stack.client.queue.listWorkers(queue)).workers)).toEqual([
      "B/x",
      "a/a",
      "a/z",
      "a-/a",
      "b/a",
    ]);
    expect(await stack.client.queue.listWorkers(newQueue())).toEqual({ workers: [] });
  });

  it("in pages of one contains every worker once while others are added and removed", async () => {
    const queue = newQueue();
    const add = (workerId: string) => requestWork(queue, workerId);
    for (const n of [1, 3, 5, 7]) await add(`w${n}`);
    const remove = (workerId: string) =>
      stack.database.db.run(
        sql`delete from workers where task_queue_id = ${idOf(queue)} and worker_id = ${workerId}`,
      );
    const pages = await pagesOf(queue, { limit: "1" }, async (page) => {
      if (page === 1) await Promise.all([add("w0"), add("w2"), remove("w1")]);
      if (page === 3) await Promise.all([remove("w3"), add("w8")]);
    });
    expect(pages).toEqual([["g/w1"], ["g/w2"], ["g/w3"], ["g/w5"], ["g/w7"], ["g/w8"]]);
    expect(await pagesOf(queue, { limit: "2" })).toEqual([["g/w0", "g/w2"], ["g/w5", "g/w7"], ["g/w8"]]);
  });

  it("has full pages when filtered by quarantine", async () => {
    const queue = newQueue();
    for (let n = 0; n < 9; n++) await requestWork(queue, `w${n}`);
    for (const n of [1, 4, 8])
      await stack.client.queue.quarantineWorker(
        { ...queue, workerGroup: "g", workerId: `w${n}` },
        { quarantineUntil: fromNow(DAY) },
      );
    expect(await pagesOf(queue, { quarantined: "true", limit: "2" })).toEqual([["g/w1", "g/w4"], ["g/w8"]]);
    expect(await pagesOf(queue, { quarantined: "false", limit: "4" })).toEqual([
      ["g/w0", "g/w2", "g/w3", "g/w5"],
      ["g/w6", "g/w7"],
    ]);
    const { workers } = await stack.client.queue.listWorkers(queue);
    expect(workers).toHaveLength(9);
    expect(workers.filter((w) => w.quarantineUntil !== undefined).map((w) => w.workerId)).toEqual([
      "w1",
      "w4",
      "w8",
    ]);
  });

  it("contains expired workers only while they are in quarantine", async () => {
    const queue = newQueue();
    for (const id of ["expired", "quarantined"]) await requestWork(queue, id);
    await stack.client.queue.quarantineWorker(
      { ...queue, workerGroup: "g", workerId: "quarantined" },
      { quarantineUntil: fromNow(DAY) },
    );
    await stack.database.db.run(
      sql`update workers set expires = now() - interval '1 second' where task_queue_id = ${idOf(queue)}`,
    );
    expect(names((await stack.client.queue.listWorkers(queue)).workers)).toEqual(["g/quarantined"]);
    expect(await get(queue, "quarantined")).toMatchObject({ workerId: "quarantined" });
  });

  it("refuses invalid tokens, limits and filters", async () => {
    const path = "/api/queue/v1/provisioners/a/worker-types/b/workers";
    for (const [query, message] of [
      ["continuationToken=nonsense", "Invalid continuation token: "],
      [`continuationToken=${Buffer.from('["a"]').toString("base64url")}`, "Invalid continuation token: "],
      ["limit=0", "Query-string parameter: limit must be at least 1."],
      ["quarantined=maybe", "Query-string parameter: quarantined given as 'maybe' must match"],
    ] as const) {
      const reply = await rawCall(stack.rootUrl, {
        method: "GET",
        path: `${path}?${query}`,
        credentials: stack.rootCredentials,
      });
      expect([query, reply.status, reply.message]).toEqual([query, 400, expect.stringContaining(message)]);
    }
  });
});

describe("declareWorker", () => {
  const declare = (queue: Queue, expires: string, client = stack.client) =>
    client.queue.declareWorker({ ...queue, workerGroup: "g", workerId: "w" }, { expires });

  it("makes a worker known that has not requested work yet, and its queue", async () => {
    const queue = newQueue();
    const expires = fromNow(3 * DAY);
    const declared = await declare(queue, expires);
    expect(declared).toEqual({
      ...queue,
      taskQueueId: idOf(queue),
      workerGroup: "g",
      workerId: "w",
      firstClaim: expect.any(String),
      expires,
      recentTasks: [],
      quarantineUntil: expect.any(String),
      quarantineDetails: [],
      actions: [],
    });
    expect(await get(queue, "w")).toEqual(declared);
    expect(await stack.client.queue.getTaskQueue({ taskQueueId: idOf(queue) })).toMatchObject({ expires });
    await requestWork(queue, "w");
    expect(await get(queue, "w")).toMatchObject({ expires, lastDateActive: expect.any(String) });
  });

  it("only extends the expiry, and may be repeated", async () => {
    const queue = newQueue();
    await requestWork(queue, "w");
    const { expires } = await get(queue, "w");
    expect((await declare(queue, fromNow(1000))).expires).toBe(expires);
    const later = fromNow(9 * DAY);
    for (let n = 0; n < 2; n++) expect((await declare(queue, later)).expires).toBe(later);
    expect((await declare(queue, fromNow(8 * DAY))).expires).toBe(later);
    expect((await declare(queue, "9999-12-31T23:59:59Z")).expires).toBe("9999-12-31T23:59:59.000Z");
  });

  it("concurrently with requests for work keeps the data of both", async () => {
    const queue = newQueue();
    const expires = fromNow(5 * DAY);
    await Promise.all([
      ...Array.from({ length: 20 }, () => declare(queue, expires)),
      ...Array.from({ length: 20 }, async () => {
        await requestWork(queue, "w");
        await get(queue, "w").catch(() => undefined);
      }),
    ]);
    expect(await get(queue, "w")).toMatchObject({ expires, lastDateActive: expect.any(String) });
  });

  it("requires a scope for each property, and refuses invalid queue names", async () => {
    const queue = newQueue();
    const scope = `queue:declare-worker:${idOf(queue)}/g/w#expires`;
    await expect(declare(queue, fromNow(DAY), stack.limited([scope.slice(0, -1)]))).rejects.toThrow(scope);
    await declare(queue, fromNow(DAY), stack.limited([scope]));
    await expect(declare({ ...queue, workerType: "Upper_Case" }, fromNow(DAY))).rejects.toThrow(
      "test/Upper_Case is not a valid task queue: a worker type must consist of a-z, 0-9 and -, and begin with a letter.",
    );
  });
});
