// Calls that meet the queue's own loops, or each other, in two processes on one database: one of both wins.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../test/support/queue-events.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import type { TaskDefinitionRequest } from "../../../api/queue/task.ts";
import type { Client } from "../../../client/index.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

let servers: TwoServers;
let client: Client;
beforeAll(async () => {
  // So long that no loop runs by itself, and expired things go at once.
  servers = await twoServers({ queue: { loopInterval: 1_000_000, claimTimeout: 600_000, expiryDelay: 0 } });
  ({ client } = servers.stack);
});
afterAll(() => servers.stop());

const worker = { workerGroup: "g", workerId: "w" };
const statusOf = async (taskId: string) => (await client.queue.status({ taskId })).status;
const storyOf = async (taskId: string) => story(await queueEvents(servers.stack.database.db, { taskId }));
async function running(overrides: Partial<TaskDefinitionRequest> = {}): Promise<string> {
  const taskId = await createTask(client, overrides);
  await client.queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}
const many = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 8 }, make));
/** Does `round` a few times, each with tasks of its own, and answers what came of all of them. */
async function repeatedly<T>(round: (turn: number) => Promise<T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let turn = 0; turn < 5; turn++) all.push(...(await round(turn)));
  return all;
}
/** The client to call for the i-th task, now one server's and now the other's. */
const nth = (i: number): Client => (i % 2 === 0 ? servers.stack : servers.other).client;
/** Some other calls first: so that now one is first and now the other. */
async function afterCalls(count: number, taskId: string): Promise<Client> {
  for (let i = 0; i < count; i++) await statusOf(taskId);
  return nth(count);
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

describe("at the same time", () => {
  it("a deadline is exceeded and the task completed: one is so, and the log tells that one", async () => {
    await repeatedly(async (turn) => {
      const ids = await many(() => running());
      for (const table of ["tasks", "runs"])
        await servers.stack.database.db.run({
          text: `update ${table} set deadline = now() - interval '1 hour' where task_id = any($1::text[])`,
          values: [ids],
        });
      const [reports] = await Promise.all([
        outcomes(
          ids.map((taskId, i) =>
            afterCalls(turn % 2 === 0 ? 0 : i % 3, taskId).then((of) =>
              of.queue.reportCompleted({ taskId, runId: 0 }),
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
        expect((await storyOf(taskId)).slice(3)).toEqual([
          state === "completed" ? "task-completed 0" : "task-exception 0",
        ]);
      }
      return reports;
    });
  });

  it("a claim expires and is renewed: the worker keeps its run, or is told that it lost it", async () => {
    await repeatedly(async (turn) => {
      const ids = await many(() => running());
      await servers.stack.database.db.run(sql`
        update runs set taken_until = date_trunc('second', now()) - interval '1 second' where task_id = any(${ids}::text[])`);
      const [reclaims] = await Promise.all([
        outcomes(
          ids.map((taskId, i) =>
            afterCalls(turn % 2 === 0 ? 0 : i % 3, taskId).then((of) =>
              of.queue.reclaimTask({ taskId, runId: 0 }),
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
        expect((await storyOf(taskId)).slice(3)).toEqual(
          reclaims[i] === "done" ? [] : ["task-exception 0", "task-pending 1"],
        );
      }
      return reclaims;
    });
  });

  it("a task expires and is run again: it is there with a new run, or gone without a trace", async () => {
    const all = await repeatedly(async (turn) => {
      const ids = await many(() => createTask(client));
      await Promise.all(ids.map((taskId) => client.queue.cancelTask({ taskId })));
      await servers.stack.database.db.run(sql`
        update tasks set expires = now() - interval '1 second' where task_id = any(${ids}::text[])`);
      const [reruns] = await Promise.all([
        outcomes(
          ids.map((taskId, i) => nth(i + turn).queue.rerunTask({ taskId })),
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

  it("a task expires and gets an artifact: the artifact is refused, or keeps the task", async () => {
    await repeatedly(async (turn) => {
      const ids = await many(() => running());
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
            nth(i + turn).queue.createArtifact({ taskId, runId: 0, name: "public/a" }, artifact),
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

  it("a task is scheduled and released by what it waited for: it has one run, told once", async () => {
    await servers.repeat(40, async (here, there) => {
      const gate = await running();
      const taskId = await createTask(here, { dependencies: [gate] });
      await Promise.all([
        here.queue.scheduleTask({ taskId }),
        there.queue.reportCompleted({ taskId: gate, runId: 0 }),
      ]);
      expect((await statusOf(taskId)).runs).toMatchObject([{ state: "pending", reasonCreated: "scheduled" }]);
      expect(await storyOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("the last two of its dependencies complete: a task has one run, told once", async () => {
    await servers.repeat(40, async (here, there) => {
      const [one, two] = [await running(), await running()];
      const taskId = await createTask(here, { dependencies: [one, two] });
      await Promise.all([
        here.queue.reportCompleted({ taskId: one, runId: 0 }),
        there.queue.reportCompleted({ taskId: two, runId: 0 }),
      ]);
      expect(await storyOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("a task is created and what it requires completes: it does not wait in vain", async () => {
    await servers.repeat(40, async (here, there) => {
      const gate = await running();
      const taskId = slugid();
      await Promise.all([
        here.queue.createTask({ taskId }, taskDefinition({ dependencies: [gate] })),
        there.queue.reportCompleted({ taskId: gate, runId: 0 }),
      ]);
      expect(await storyOf(taskId)).toEqual(["task-defined", "task-pending 0"]);
    });
  });

  it("a group is sealed and gets a task: what got in is counted, the rest is refused", async () => {
    await servers.repeat(40, async (here, there) => {
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
      const counted = await servers.stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskGroupId} and unresolved = ${size}`);
      expect(counted).toBe(1);
    });
  });

  it("a group is canceled while workers are at it: all of it ends, each task once", async () => {
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
        const ends = (await storyOf(taskId)).filter((line) => /^task-(completed|exception)/.test(line));
        expect(ends).toHaveLength(1);
      }
      const told = story(await queueEvents(servers.stack.database.db, { taskGroupId }));
      expect(told.filter((line) => line === "task-group-resolved")).toHaveLength(1);
    });
  });

  it("a priority is changed and the task claimed: both are done, and all places agree on it", async () => {
    await servers.repeat(40, async (here, there) => {
      const taskId = await createTask(here, { priority: "low" });
      await Promise.all([
        here.queue.changeTaskPriority({ taskId }, { newPriority: "high" }),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
      ]);
      expect(await statusOf(taskId)).toMatchObject({ priority: "high", state: "running" });
      expect((await client.queue.task({ taskId })).priority).toBe("high");
      await here.queue.reportException({ taskId, runId: 0 }, { reason: "worker-shutdown" });
      const agreeing = await servers.stack.database.db.run(sql`
        select from runs where task_id = ${taskId} and run_id = 1 and priority = 5`);
      expect(agreeing).toBe(1);
    });
  });
});

it("nothing of it was an error", () => {
  for (const { records } of [servers.stack, servers.other])
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
});
