// Calls concurrent with the queue's loops and with each other, in two processes on one database: one of them wins.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../test/support/queue-events.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import type { TaskDefinitionRequest } from "../../../api/queue/task.ts";
import type { Client } from "../../../client/index.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

let servers: TwoServers;
let client: Client;
beforeAll(async () => {
  // So long that loops run only when a test runs them. Expired rows can be removed immediately.
  servers = await twoServers({ queue: { claimTimeout: 600_000, expiryDelay: 0 } });
  ({ client } = servers.stack);
});
afterAll(() => servers.stop());

const worker = { workerGroup: "g", workerId: "w" };
const statusOf = async (taskId: string) => (await client.queue.status({ taskId })).status;
const summaryOf = async (taskId: string) =>
  summarize(await queueEvents(servers.stack.database.db, { taskId }));
async function running(overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> {
  const taskId = await createTask(client, overrides);
  await client.queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}
const eight = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 8 }, make));
/** Runs `body` five times, each time with new tasks, and returns all outcomes. */
async function repeatedly<T>(body: (iteration: number) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let iteration = 0; iteration < 5; iteration++) all.push(...(await body(iteration)));
  return all;
}
/** Returns the client of one server for even numbers, and that of the other for odd ones. */
const clientFor = (i: number): Client => (i % 2 === 0 ? servers.stack : servers.other).client;
/** Makes some other calls first, so that sometimes one of the racing calls is first and sometimes the other. */
async function afterCalls(count: number, taskId: string): Promise<Client> {
  for (let i = 0; i < count; i++) await statusOf(taskId);
  return clientFor(count);
}
const rowsOf = async (taskId: string): Promise<number[]> => {
  const { db } = servers.stack.database;
  return [
    await db.run(sql`select from tasks where task_id = ${taskId}`),
    await db.run(sql`select from task_definitions where task_id = ${taskId}`),
    await db.run(sql`select from runs where task_id = ${taskId}`),
    await db.run(sql`select from artifacts where task_id = ${taskId}`),
  ];
};

describe("concurrently", () => {
  it("a deadline passes and the task is completed: one takes effect, with its event", async () => {
    await repeatedly(async (iteration) => {
      const ids = await eight(() => running());
      for (const table of ["tasks", "runs"])
        await servers.stack.database.db.run({
          text: `update ${table} set deadline = now() - interval '1 hour' where task_id = any($1::text[])`,
          values: [ids],
        });
      const [reports] = await Promise.all([
        outcomes(
          ids.map((taskId, i) =>
            afterCalls(iteration % 2 === 0 ? 0 : i % 3, taskId).then((by) =>
              by.queue.reportCompleted({ taskId, runId: 0 }),
            ),
          ),
        ),
        servers.runLoops("deadline"),
      ]);
      await servers.runLoops("deadline");
      for (const [i, taskId] of ids.entries()) {
        const { state, runs } = await statusOf(taskId);
        expect(reports[i]).toBe(state === "completed" ? "done" : "refused");
        expect(runs.map((run) => run.reasonResolved)).toEqual([
          state === "completed" ? "completed" : "deadline-exceeded",
        ]);
        expect((await summaryOf(taskId)).slice(3)).toEqual([
          state === "completed" ? "task-completed 0" : "task-exception 0",
        ]);
      }
      return reports;
    });
  });

  it("a claim expires and is reclaimed: the worker keeps its run, or the reclaim is refused", async () => {
    await repeatedly(async (iteration) => {
      const ids = await eight(() => running());
      await servers.stack.database.db.run(sql`
        update runs set taken_until = date_trunc('second', now()) - interval '1 second' where task_id = any(${ids}::text[])`);
      const [reclaims] = await Promise.all([
        outcomes(
          ids.map((taskId, i) =>
            afterCalls(iteration % 2 === 0 ? 0 : i % 3, taskId).then((by) =>
              by.queue.reclaimTask({ taskId, runId: 0 }),
            ),
          ),
        ),
        servers.runLoops("claim-expiry"),
      ]);
      for (const [i, taskId] of ids.entries()) {
        const { state, retriesLeft } = await statusOf(taskId);
        expect([reclaims[i], state, retriesLeft]).toEqual(
          reclaims[i] === "done" ? ["done", "running", 5] : ["refused", "pending", 4],
        );
        expect((await summaryOf(taskId)).slice(3)).toEqual(
          reclaims[i] === "done" ? [] : ["task-exception 0", "task-pending 1"],
        );
      }
      return reclaims;
    });
  });

  it("a task expires and is rerun: it exists with a new run, or is removed with all its rows", async () => {
    const all = await repeatedly(async (iteration) => {
      const ids = await eight(() => createTask(client));
      await Promise.all(ids.map((taskId) => client.queue.cancelTask({ taskId })));
      await servers.stack.database.db.run(sql`
        update tasks set expires = now() - interval '1 second' where task_id = any(${ids}::text[])`);
      const [reruns] = await Promise.all([
        outcomes(
          ids.map((taskId, i) => clientFor(i + iteration).queue.rerunTask({ taskId })),
          ["ResourceNotFound"],
        ),
        servers.runLoops("task-expiry"),
      ]);
      for (const [i, taskId] of ids.entries())
        expect(await rowsOf(taskId)).toEqual(reruns[i] === "done" ? [1, 1, 2, 0] : [0, 0, 0, 0]);
      return reruns;
    });
    expect(all).toHaveLength(40);
  });

  it("a task expires and an artifact is created: the artifact is refused, or the task is kept", async () => {
    await repeatedly(async (iteration) => {
      const ids = await eight(() => running());
      await Promise.all(ids.map((taskId) => client.queue.cancelTask({ taskId })));
      await servers.stack.database.db.run(sql`
        update tasks set expires = now() - interval '1 second' where task_id = any(${ids}::text[])`);
      const expires = new Date(Date.now() - 60_000).toISOString();
      const artifact = {
        storageType: "reference",
        expires,
        contentType: "a/b",
        url: "https://a.example/",
      } as const;
      const [created] = await Promise.all([
        outcomes(
          ids.map((taskId, i) =>
            clientFor(i + iteration).queue.createArtifact({ taskId, runId: 0, name: "public/a" }, artifact),
          ),
          ["InputError"],
        ),
        servers.runLoops("task-expiry"),
      ]);
      for (const [i, taskId] of ids.entries())
        expect(await rowsOf(taskId)).toEqual(created[i] === "done" ? [1, 1, 1, 1] : [0, 0, 0, 0]);
      return created;
    });
  });

  it("a task is scheduled and released by its dependency: it has one run, published once", async () => {
    await servers.repeat(24, async (here, there) => {
      const required = await running();
      const taskId = await createTask(here, { dependencies: [required] });
      await Promise.all([
        here.queue.scheduleTask({ taskId }),
        there.queue.reportCompleted({ taskId: required, runId: 0 }),
      ]);
      expect((await statusOf(taskId)).runs).toMatchObject([{ state: "pending", reasonCreated: "scheduled" }]);
      expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("the last two dependencies of a task complete: it has one run, published once", async () => {
    await servers.repeat(24, async (here, there) => {
      const [one, two] = [await running(), await running()];
      const taskId = await createTask(here, { dependencies: [one, two] });
      await Promise.all([
        here.queue.reportCompleted({ taskId: one, runId: 0 }),
        there.queue.reportCompleted({ taskId: two, runId: 0 }),
      ]);
      expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("a task is created and its dependency completes: it becomes pending", async () => {
    await servers.repeat(24, async (here, there) => {
      const required = await running();
      const taskId = slugid();
      await Promise.all([
        here.queue.createTask({ taskId }, taskDefinition({ dependencies: [required] })),
        there.queue.reportCompleted({ taskId: required, runId: 0 }),
      ]);
      expect(await summaryOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("a group is sealed and tasks are added: those accepted are counted, the rest are refused", async () => {
    await servers.repeat(24, async (here, there) => {
      const taskGroupId = await createTask(here);
      const [, ...created] = await outcomes([
        there.queue.sealTaskGroup({ taskGroupId }),
        ...[here, there, here].map(({ queue }) =>
          queue.createTask({ taskId: slugid() }, taskDefinition({ taskGroupId })),
        ),
      ]);
      const size = 1 + created.filter((one) => one === "done").length;
      const { tasks } = await client.queue.listTaskGroup({ taskGroupId });
      expect(tasks).toHaveLength(size);
      const matchingGroups = await servers.stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskGroupId} and unresolved = ${size}`);
      expect(matchingGroups).toBe(1);
    });
  });

  it("a group is canceled while workers process it: every task is resolved once", async () => {
    await servers.repeat(8, async (here, there) => {
      const taskGroupId = slugid();
      const ids = [taskGroupId];
      for (let i = 0; i < 6; i++) ids.push(slugid());
      for (const [i, taskId] of ids.entries()) {
        const dependencies = i > 3 ? [ids[i - 3] ?? ""] : [];
        await here.queue.createTask({ taskId }, taskDefinition({ taskGroupId, dependencies }));
      }
      await here.queue.sealTaskGroup({ taskGroupId });
      const work = async (taskId: string): Promise<void> => {
        const run = { taskId, runId: 0 };
        await outcomes([there.queue.claimTask(run, worker)], ["RequestConflict", "ResourceNotFound"]);
        await outcomes([here.queue.reportCompleted(run)], ["RequestConflict", "ResourceNotFound"]);
      };
      await Promise.all([here.queue.cancelTaskGroup({ taskGroupId }), ...ids.map(work)]);
      for (const taskId of ids) {
        expect(["completed", "exception"]).toContain((await statusOf(taskId)).state);
        const resolutions = (await summaryOf(taskId)).filter((line) =>
          /^task-(completed|exception)/.test(line),
        );
        expect(resolutions).toHaveLength(1);
      }
      const groupEvents = summarize(await queueEvents(servers.stack.database.db, { taskGroupId }));
      expect(groupEvents.filter((line) => line === "task-group-resolved")).toHaveLength(1);
    });
  });

  it("a priority is changed and the task claimed: both take effect, with the same priority everywhere", async () => {
    await servers.repeat(24, async (here, there) => {
      const taskId = await createTask(here, { priority: "low" });
      await Promise.all([
        here.queue.changeTaskPriority({ taskId }, { newPriority: "high" }),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
      ]);
      expect(await statusOf(taskId)).toMatchObject({ priority: "high", state: "running" });
      expect((await client.queue.task({ taskId })).priority).toBe("high");
      await here.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
      const retries = await servers.stack.database.db.run(sql`
        select from runs where task_id = ${taskId} and run_id = 1 and priority = 5`);
      expect(retries).toBe(1);
    });
  });
});

it("none of this was logged as an error", () => {
  for (const { records } of [servers.stack, servers.other])
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
});
