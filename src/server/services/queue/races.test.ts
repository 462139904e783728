// What happens at the same time, in one process or in two on one database: one of both wins, and the log agrees.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../client/index.ts";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { queueEvents, story } from "../../../../test/support/queue-events.ts";
import type { Stack } from "../../../../test/support/stack.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import { until } from "../../../../test/support/until.ts";
import { systemClock } from "../../../lib/clock.ts";
import { slugid } from "../../../lib/slugid.ts";
import { isRetryable, type Queryable } from "../../core/db.ts";
import { sql } from "../../core/sql.ts";
import { declareMetrics } from "../../core/metrics.ts";
import { metrics as queueMetrics } from "./metrics.ts";
import { createEnder } from "./resolution/end-runs.ts";
import { reclaimRuns } from "./claims/store.ts";

let servers: TwoServers;
let stack: Stack;
let other: Stack;
let clients: readonly [Client, Client];
beforeAll(async () => {
  // So long that nobody is served by a poll.
  servers = await twoServers({ queue: { loopInterval: 1_000_000, claimTimeout: 600_000 } });
  ({ stack, other } = servers);
  clients = [stack.client, other.client];
});
afterAll(() => servers.stop());

const worker = { workerGroup: "g", workerId: "w" };
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const storyOf = async (taskId: string) => story(await queueEvents(stack.database.db, { taskId }));
async function running(): Promise<string> {
  const taskId = await createTask(stack.client);
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}
describe("at the same time", () => {
  it("a task is canceled and completed: one is done, and the log tells that one", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = await running();
      const [canceled, completed] = await outcomes([
        here.queue.cancelTask({ taskId }),
        there.queue.reportCompleted({ taskId, runId: 0 }),
      ]);
      const { state } = await statusOf(taskId);
      expect(canceled).toBe("done");
      expect(completed).toBe(state === "completed" ? "done" : "refused");
      const end = state === "completed" ? "task-completed 0" : "task-exception 0";
      expect((await storyOf(taskId)).slice(3)).toEqual([end]);
    });
  });

  it("a task is canceled and claimed: whatever was first, it is canceled in the end", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = await createTask(stack.client);
      const [canceled, claimed] = await outcomes([
        here.queue.cancelTask({ taskId }),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
      ]);
      expect(canceled).toBe("done");
      const [run] = (await statusOf(taskId)).runs;
      expect(run).toMatchObject({ state: "exception", reasonResolved: "canceled" });
      expect(run?.workerId).toBe(claimed === "done" ? "w" : undefined);
      const told = claimed === "done" ? ["task-running 0", "task-exception 0"] : ["task-exception 0"];
      expect((await storyOf(taskId)).slice(2)).toEqual(told);
    });
  });

  it("a run is reported in different ways: one is done, the log tells that one", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = await running();
      const id = { taskId, runId: 0 };
      const all = await outcomes([
        here.queue.reportCompleted(id),
        there.queue.reportFailed(id),
        here.queue.reportException(id, { reason: "worker-shutdown" }),
      ]);
      expect(all.filter((one) => one === "done")).toHaveLength(1);
      const [run] = (await statusOf(taskId)).runs;
      expect((await storyOf(taskId))[3]).toBe(`task-${run?.state} 0`);
    });
  });

  it("a task is run again and canceled: the log has a run for each start and an end for each run", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = await createTask(stack.client);
      await here.queue.cancelTask({ taskId });
      await outcomes([here.queue.rerunTask({ taskId }), there.queue.cancelTask({ taskId })]);
      const { state } = await statusOf(taskId);
      const told = await storyOf(taskId);
      expect(told.filter((line) => line.endsWith("1"))).toEqual(
        state === "pending" ? ["task-pending 1"] : ["task-pending 1", "task-exception 1"],
      );
    });
  });

  it("a task is defined again and claimed: it is never told as pending after it ran", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = slugid();
      const definition = taskDefinition();
      await here.queue.createTask({ taskId }, definition);
      await Promise.all([
        here.queue.createTask({ taskId }, definition),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
        here.queue.rerunTask({ taskId }),
      ]);
      const told = await storyOf(taskId);
      const last = Math.max(...told.map((line, i) => (line === "task-pending 0" ? i : -1)));
      expect(last).toBeLessThan(told.indexOf("task-running 0"));
    });
  });

  it("a task is created in both processes: once, and told as often as it was asked for", async () => {
    await servers.repeat(48, async (here, there) => {
      const taskId = slugid();
      const definition = taskDefinition();
      await Promise.all([here, there].map(({ queue }) => queue.createTask({ taskId }, definition)));
      expect((await storyOf(taskId)).toSorted()).toEqual([
        "task-defined",
        "task-defined",
        "task-pending 0",
        "task-pending 0",
      ]);
      const unresolved = await stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskId} and unresolved = 1`);
      expect(unresolved).toBe(1);
    });
  });
});

describe("in two processes", () => {
  it("a claimer is woken by what the other one commits", async () => {
    for (const [i, [here, there]] of [clients, clients.toReversed() as [Client, Client]].entries()) {
      const taskQueueId = `test/woken-${i}`;
      const waiting = here.queue.claimWork({ taskQueueId }, { ...worker, tasks: 1 });
      // Whether this comes before or after the other: it is answered long before any poll.
      const taskId = await createTask(there, { taskQueueId });
      expect((await waiting).tasks.map(({ status }) => status.taskId)).toEqual([taskId]);
    }
  });

  it("claimers never share a run, and nothing stays behind", async () => {
    const taskQueueId = "test/shared";
    const ids = await Promise.all(
      Array.from({ length: 120 }, (_, i) => createTask(clients[i % 2 === 0 ? 0 : 1], { taskQueueId })),
    );
    const got: string[] = [];
    const isOver = new AbortController();
    const work = async (client: Client): Promise<void> => {
      while (got.length < ids.length) {
        const { tasks } = await client.queue
          .claimWork({ taskQueueId }, { ...worker, tasks: 3 }, { signal: isOver.signal })
          .catch(() => ({ tasks: [] }));
        got.push(...tasks.map(({ status }) => status.taskId));
        // Whoever still waits then waits in vain; sooner, it would lose what it was just given.
        if (got.length >= ids.length) isOver.abort();
      }
    };
    await Promise.all([...clients, ...clients, ...clients].map(work));
    expect(got.toSorted()).toEqual(ids.toSorted());
  });

  it("the loops of both end a claim once", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, running));
    await stack.database.db.run(sql`
      update runs set taken_until = '2026-01-01' where task_id = any(${ids}::text[])`);
    await servers.runLoops("claim-expiry");
    for (const taskId of ids)
      expect((await storyOf(taskId)).slice(3)).toEqual(["task-exception 0", "task-pending 1"]);
  });
});

describe("a deadlock", () => {
  it("is not seen by who lost it: the batch is done again", async () => {
    const { db } = stack.database;
    const { monitor } = testMonitor();
    const metrics = declareMetrics(monitor.metrics.registry, queueMetrics);
    const end = createEnder({ db, clock: systemClock, metrics, monitor }, "canceled");
    const lock = (tx: Queryable, taskId: string) =>
      tx.run(sql`select from tasks where task_id = ${taskId} for update`);

    /** Whether the batch lost; on a machine that is busy enough we are the ones. Either way it is done in the end. */
    async function batchLost(): Promise<boolean> {
      const [first = "", second = ""] = [await running(), await running()].toSorted();
      let ended: Promise<unknown[]> = Promise.resolve([]);
      const us = db.tx(async (tx) => {
        await lock(tx, second);
        ended = Promise.all([end(first), end(second)]);
        await until("the batch to wait for us", async () => {
          const waiting = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
          return waiting > 0;
        });
        // Now both wait for each other. Who has waited for a second looks whether that is so, and gives up: the batch,
        // if we come within that second.
        await lock(tx, first);
      });
      const won = await us.then(
        () => true,
        (err: unknown) => {
          if (!isRetryable(err)) throw err;
          return false;
        },
      );
      expect(await ended).toMatchObject([{ task_id: first }, { task_id: second }]);
      return won;
    }

    let lost = false;
    for (let attempt = 0; attempt < 5 && !lost; attempt++) lost = await batchLost();
    expect(lost).toBe(true);
  });

  it("is none between claims that are kept and what ends them: both lock runs in one order", async () => {
    const { db } = stack.database;
    const [first = "", second = ""] = [await running(), await running()].toSorted();
    const keep = (taskId: string) => ({ taskId, runId: 0, takenUntil: new Date().toISOString() });
    let kept: Promise<unknown> = Promise.resolve();
    await db.tx(async (tx) => {
      await tx.run(sql`select from runs where task_id = ${first} for update`);
      kept = reclaimRuns(db, [keep(second), keep(first)], "2026-01-01");
      await until("the batch to wait for us", async () => {
        const waiting = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        return waiting > 0;
      });
      expect(await db.run(sql`select from runs where task_id = ${second} for update skip locked`)).toBe(1);
    });
    expect(await kept).toMatchObject([
      { ord: 1, worker_id: "w" },
      { ord: 2, worker_id: "w" },
    ]);
  });

  it("is never seen, in whatever order batches overlap", async () => {
    const groups = [slugid(), slugid(), slugid()];
    for (let round = 0; round < 2; round++) {
      const ids: string[] = [];
      for (let i = 0; i < 24; i++) {
        const dependencies = ids.filter((_, j) => (i * 7 + j * 3 + round) % 5 === 0).slice(0, 4);
        const requires = i % 2 === 0 ? "all-resolved" : "all-completed";
        const taskGroupId = groups[i % 3] ?? "";
        ids.push(await createTask(stack.client, { dependencies, requires, taskGroupId }));
      }
      const anyOf = (client: Client, taskId: string, kind: number): Promise<unknown> => {
        const run = { taskId, runId: 0 };
        const { queue } = client;
        if (kind === 0) return queue.cancelTask({ taskId });
        if (kind === 1) return queue.scheduleTask({ taskId });
        if (kind === 2) return queue.claimTask(run, worker);
        if (kind === 3) return queue.reportCompleted(run);
        if (kind === 4) return queue.reportException(run, { reason: "intermittent-task" });
        if (kind === 5) return queue.rerunTask({ taskId });
        if (kind === 6) return queue.reclaimTask(run);
        return createTask(client, {
          dependencies: ids.slice(kind, kind + 5),
          taskGroupId: groups[kind % 3] ?? "",
        });
      };
      const calls = Array.from({ length: 240 }, (_, i) =>
        anyOf(
          clients[i % 2 === 0 ? 0 : 1],
          ids[(i * 11 + round) % 24] ?? "",
          (i * 5 + Math.floor(i / 24)) % 9,
        ),
      );
      for (const result of await Promise.allSettled(calls))
        if (result.status === "rejected")
          expect(result.reason).toMatchObject({
            code: expect.stringMatching(/^(RequestConflict|ResourceNotFound)$/),
          });
    }
    for (const { records } of [stack, other])
      expect(records.filter((record) => "incidentId" in record)).toEqual([]);
  });
});
