// Every paginated list of the contract: elements that exist throughout are returned exactly once, and no element twice,
// whatever is added and removed between the pages and however short the pages are.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { methods, pathOf, type Method } from "../../test/support/contract-calls.ts";
import { authLists } from "../../test/support/lists-of-auth.ts";
import { indexLists } from "../../test/support/lists-of-index.ts";
import { workerManagerLists } from "../../test/support/lists-of-worker-manager.ts";
import type { Item, List, Reply } from "../../test/support/paginated-list.ts";
import { createTask, taskDefinition } from "../../test/support/factories.ts";
import { rawCall } from "../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import { slugid } from "../lib/slugid.ts";
import { encodePage } from "./core/pagination.ts";
import { sql } from "./core/sql.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
});
afterAll(() => stack.stop());

const worker = { workerGroup: "g", workerId: "w" };
const removeTask = (taskId: string) =>
  stack.database.db.run(sql`
    with t as (delete from tasks where task_id = ${taskId}),
      r as (delete from runs where task_id = ${taskId})
    delete from task_definitions where task_id = ${taskId}`);
let count = 0;
const newName = (): string =>
  `n${count++}-${slugid()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "")}`.slice(0, 20);
const byStatus = { items: ({ tasks = [] }: Reply) => tasks, key: (item: Item) => item.status.taskId };
const byTask = (name: string) => ({
  items: (reply: Reply) => reply[name] ?? [],
  key: ({ taskId = "" }: Item) => taskId,
});

/** Lists of many tasks by id: some of the ids exist, some are added, some are removed. */
const named = (name: string) => (): List => {
  const taskIds = Array.from({ length: 40 }, () => slugid()).toSorted(() => Math.random() - 0.5);
  const remaining = [...taskIds];
  return {
    body: { taskIds },
    add: async () => {
      const taskId = remaining.pop() ?? "";
      await stack.client.queue.createTask({ taskId }, taskDefinition());
      return taskId;
    },
    remove: removeTask,
    ...byTask(name),
  };
};
const members = async (): Promise<Pick<List, "params" | "add" | "remove">> => {
  const taskGroupId = slugid();
  await createTask(stack.client, { taskGroupId }).then(removeTask);
  return {
    params: { taskGroupId },
    add: () => createTask(stack.client, { taskGroupId }),
    remove: removeTask,
  };
};
async function artifacts(params: (taskId: string) => Readonly<Record<string, string>>): Promise<List> {
  const taskId = await createTask(stack.client);
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  return {
    params: params(taskId),
    add: async () => {
      const name = `public/${newName()}`;
      const expires = new Date(Date.now() + 3_600_000).toISOString();
      const body = {
        storageType: "reference",
        expires,
        contentType: "a/b",
        url: "https://a.example/",
      } as const;
      await stack.client.queue.createArtifact({ taskId, runId: 0, name }, body);
      return name;
    },
    remove: (name) =>
      stack.database.db.run(sql`delete from artifacts where task_id = ${taskId} and name = ${name}`),
    items: ({ artifacts: items = [] }) => items,
    key: ({ name = "" }) => name,
  };
}
/** Lists of task queues, by the part of the id that is the key. */
async function queues(
  provisionerId: string,
  key: "provisionerId" | "workerType" | "taskQueueId",
  list: string,
): Promise<List> {
  // Rows of earlier lists, which would all be read.
  await stack.database.db.run(sql`delete from task_queues`);
  return {
    params: { provisionerId },
    add: async () => {
      const [name, other] = [newName(), newName()];
      const id = key === "provisionerId" ? `${name}/${other}` : `${provisionerId}/${name}`;
      await stack.database.db.run(sql`
      insert into task_queues (task_queue_id, last_date_active, expires)
      values (${id}, now(), now() + interval '1 day')`);
      return key === "taskQueueId" ? id : name;
    },
    remove: (name) =>
      stack.database.db.run(
        key === "provisionerId"
          ? sql`delete from task_queues where task_queue_id like ${`${name}/%`}`
          : sql`delete from task_queues where task_queue_id in (${name}, ${`${provisionerId}/${name}`})`,
      ),
    items: (reply) => reply[list] ?? [],
    key: (item) => item[key] ?? "",
    isShared: key !== "workerType",
  };
}

/** Lists of the workers that the queue has seen. */
const seenWorkers = (): List => {
  const [provisionerId, workerType] = [newName(), newName()];
  return {
    params: { provisionerId, workerType },
    add: async () => {
      const workerId = newName();
      await stack.database.db.run(sql`
          insert into workers (task_queue_id, worker_group, worker_id, first_claim, expires, quarantine_until)
          values (${`${provisionerId}/${workerType}`}, 'g', ${workerId}, now(), now() + interval '1 day', now())`);
      return workerId;
    },
    remove: (workerId) => stack.database.db.run(sql`delete from workers where worker_id = ${workerId}`),
    items: ({ workers = [] }) => workers,
    key: ({ workerId = "" }) => workerId,
  };
};

const lists: Readonly<Record<string, () => List | Promise<List>>> = {
  ...authLists(() => stack.database.db, newName),
  ...indexLists(() => stack, newName),
  ...workerManagerLists(() => stack.database.db, newName),
  "queue.tasks": named("tasks"),
  "queue.statuses": named("statuses"),
  "queue.listTasks": async () => {
    // Rows of earlier lists, which would all be read.
    await stack.database.db.run(sql`delete from tasks`);
    return {
      add: () => createTask(stack.client),
      remove: removeTask,
      ...byTask("tasks"),
      isShared: true,
    };
  },
  "queue.listTaskGroups": async () => {
    await stack.database.db.run(sql`delete from task_groups`);
    return {
      add: () => createTask(stack.client),
      remove: (taskGroupId) =>
        stack.database.db.run(sql`delete from task_groups where task_group_id = ${taskGroupId}`),
      items: ({ taskGroups = [] }) => taskGroups,
      key: ({ taskGroupId = "" }) => taskGroupId,
      isShared: true,
    };
  },
  "queue.listTaskGroup": async () => ({ ...(await members()), ...byStatus }),
  "queue.taskGroupTimeline": async () => ({ ...(await members()), ...byTask("tasks") }),
  "queue.listDependentTasks": async () => {
    const taskId = await createTask(stack.client);
    return {
      params: { taskId },
      add: () => createTask(stack.client, { dependencies: [taskId] }),
      remove: (dependent) =>
        stack.database.db.run(sql`delete from task_dependencies where dependent = ${dependent}`),
      ...byStatus,
    };
  },
  "queue.listArtifacts": () => artifacts((taskId) => ({ taskId, runId: "0" })),
  "queue.listLatestArtifacts": () => artifacts((taskId) => ({ taskId })),
  "queue.listPendingTasks": () => {
    const taskQueueId = `test/${newName()}`;
    return {
      params: { taskQueueId },
      add: () => createTask(stack.client, { taskQueueId }),
      remove: (taskId) => stack.client.queue.claimTask({ taskId, runId: 0 }, worker),
      ...byTask("tasks"),
    };
  },
  "queue.listClaimedTasks": () => {
    const taskQueueId = `test/${newName()}`;
    return {
      params: { taskQueueId },
      add: async () => {
        const taskId = await createTask(stack.client, { taskQueueId });
        await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
        return taskId;
      },
      remove: (taskId) => stack.client.queue.reportCompleted({ taskId, runId: 0 }),
      ...byTask("tasks"),
    };
  },
  "queue.listProvisioners": () => queues("-", "provisionerId", "provisioners"),
  "queue.listWorkerTypes": () => queues(newName(), "workerType", "workerTypes"),
  "queue.listTaskQueues": () => queues(newName(), "taskQueueId", "taskQueues"),
  "queue.taskQueueOverview": async () => {
    // Queues with tasks of earlier lists are listed too.
    await stack.database.db.run(sql`delete from runs`);
    return queues(newName(), "taskQueueId", "taskQueues");
  },
  "queue.listWorkers": seenWorkers,
  "worker-manager.listWorkers": seenWorkers,
  "secrets.list": async () => {
    // The secret of the examples, and those of earlier lists.
    await stack.database.db.run(sql`delete from secrets`);
    return {
      add: async () => {
        const name = newName();
        const expires = new Date(Date.now() + 3_600_000).toISOString();
        await stack.client.secrets.set({ name }, { secret: {}, expires });
        return name;
      },
      remove: (name) => stack.client.secrets.remove({ name }),
      items: ({ secrets = [] }) => secrets.map((name) => ({ name })),
      key: ({ name = "" }) => name,
    };
  },
  "purge-cache.allPurgeRequests": () => ({
    add: async () => {
      const cacheName = newName();
      await stack.client.purgeCache.purgeCache({ workerPoolId: "test-pool/list" }, { cacheName });
      return cacheName;
    },
    remove: (cacheName) =>
      stack.database.db.run(sql`delete from purge_requests where cache_name = ${cacheName}`),
    items: ({ requests = [] }) => requests,
    key: ({ cacheName = "" }) => cacheName,
    isShared: true,
  }),
  "queue.watchdog": async () => {
    // Rows of earlier lists, which would all be read.
    await stack.database.db.run(sql`delete from watchdog_findings`);
    return {
      add: async () => {
        const subject = newName();
        await stack.database.db.run(sql`
          insert into watchdog_findings (check_name, subject, detail, first_seen, last_seen, confirmed)
          values ('a-check', ${subject}, 'made by a test', now(), now(), now())`);
        return subject;
      },
      remove: (subject) =>
        stack.database.db.run(sql`delete from watchdog_findings where subject = ${subject}`),
      items: ({ findings = [] }) => findings,
      key: ({ subject = "" }) => subject,
      isShared: true,
    };
  },
};

async function requestPage(method: Method, list: List, limit: number, token: string | undefined) {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(token !== undefined && { continuationToken: token }),
  });
  return rawCall(stack.rootUrl, {
    method: method.of.method,
    path: `${pathOf(method, list.params ?? {})}?${query.toString()}`,
    body: list.body === undefined ? undefined : JSON.stringify(list.body),
    credentials: stack.rootCredentials,
  });
}

async function readPage(...args: Parameters<typeof requestPage>): Promise<Reply> {
  const { status, body, message } = await requestPage(...args);
  expect([status, message]).toEqual([200, ""]);
  // Checked against its schema by the server, in tests.
  return body as Reply;
}

/** Their systems are not configured, so they list nothing, or nothing can be added to them. */
const unavailable = ["auth.azureTables", "auth.azureContainers", "worker-manager.listProviders"];
const paginated = methods.filter(
  ({ name, of }) => of.query !== undefined && "continuationToken" in of.query && !unavailable.includes(name),
);

describe.each(paginated.map((method) => [method.name, method] as const))("%s", (name, method) => {
  it("refuses a token with an impossible position before running a statement", async () => {
    const list = await lists[name]?.();
    if (!list) throw new Error(`${name} is paginated and has no case here`);
    const reply = await requestPage(method, list, 1, encodePage("\0"));
    expect([reply.status, reply.message]).toEqual([
      400,
      expect.stringContaining("Invalid continuation token: "),
    ]);
  });

  it("visits elements that stay exactly once, whatever is added and removed between pages", async () => {
    const makeList = lists[name];
    if (!makeList) throw new Error(`${name} is paginated and has no case here`);
    const walk = fc.record({
      stayCount: fc.integer({ min: 0, max: 5 }),
      goCount: fc.integer({ min: 0, max: 4 }),
      limits: fc.oneof(
        fc.constant([1]),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      ),
      changes: fc.array(fc.constantFrom("add", "remove", "none"), { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(walk, async ({ stayCount, goCount, limits, changes }) => {
        const list = await makeList();
        const [stay, passing, visited]: [string[], string[], string[]] = [[], [], []];
        // Alternating, so that removed elements are between those that stay.
        for (let i = 0; i < Math.max(stayCount, goCount); i++) {
          if (i < stayCount) stay.push(await list.add());
          if (i < goCount) passing.push(await list.add());
        }
        const removable = [...passing];
        let token: string | undefined;
        let pages = 0;
        let emptyPages = 0;
        do {
          const limit = limits[pages % limits.length] ?? 1;
          const reply = await readPage(method, list, limit, token);
          const items = list.items(reply);
          expect(items.length).toBeLessThanOrEqual(limit);
          if (items.length === 0) emptyPages++;
          // Checked against its schema; every element of the list has the members that `key` reads.
          visited.push(...items.map((item) => list.key(item as Item)));
          token = reply.continuationToken;
          const change = changes[pages++];
          if (change === "add") passing.push(await list.add());
          const removed = change === "remove" ? removable.pop() : undefined;
          if (removed !== undefined) await list.remove(removed);
        } while (token !== undefined && pages < 100);
        expect(token).toBeUndefined();
        expect(new Set(visited).size).toBe(visited.length);
        const own = new Set([...stay, ...passing]);
        const ours = visited.filter((key) => own.has(key));
        expect(ours.filter((key) => stay.includes(key)).toSorted()).toEqual(stay.toSorted());
        if (list.isShared !== true) expect(ours).toEqual(visited);
        // If nothing is removed, a page after a continuation token is not empty.
        if (!changes.includes("remove") && pages > 1) expect(emptyPages).toBe(0);
      }),
      {
        numRuns: 4,
        examples: [
          [{ stayCount: 4, goCount: 4, limits: [1], changes: ["add", "remove", "add", "remove", "remove"] }],
          [{ stayCount: 2, goCount: 2, limits: [2], changes: [] }],
        ],
      },
    );
  });
});
