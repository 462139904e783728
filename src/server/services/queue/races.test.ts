// Concurrent calls in one process or in two on one database: one of them wins, and the events agree.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../client/index.ts";
import { createTask, taskDefinition } from "../../../../test/support/factories.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { queueEvents, summarize } from "../../../../test/support/queue-events.ts";
import type { Stack } from "../../../../test/support/stack.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import { until } from "../../../../test/support/until.ts";
import { systemClock } from "../../../lib/clock.ts";
import { slugid } from "../../../lib/slugid.ts";
import type { Queryable } from "../../core/db.ts";
import { sql } from "../../core/sql.ts";
import { declareMetrics } from "../../core/metrics.ts";
import { metrics as queueMetrics } from "./metrics.ts";
import { createEndTask } from "./resolution/end-runs.ts";
import { reclaimRuns } from "./claims/store/reclaim.ts";

let servers: TwoServers;
let stack: Stack;
let other: Stack;
let clients: readonly [Client, Client];
beforeAll(async () => {
  // So long that polling serves no claim.
  servers = await twoServers({ queue: { claimTimeout: 600_000 } });
  ({ stack, other } = servers);
  clients = [stack.client, other.client];
});
afterAll(() => servers.stop());

const worker = { workerGroup: "g", workerId: "w" };
const statusOf = async (taskId: string) => (await stack.client.queue.status({ taskId })).status;
const summaryOf = async (taskId: string) => summarize(await queueEvents(stack.database.db, { taskId }));
async function running(): Promise<string> {
  const taskId = await createTask(stack.client);
  await stack.client.queue.claimTask({ taskId, runId: 0 }, worker);
  return taskId;
}
describe("concurrently", () => {
  it("a task is canceled and completed: one takes effect, with its event", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = await running();
      const [canceled, completed] = await outcomes([
        here.queue.cancelTask({ taskId }),
        there.queue.reportCompleted({ taskId, runId: 0 }),
      ]);
      const { state } = await statusOf(taskId);
      expect(canceled).toBe("done");
      expect(completed).toBe(state === "completed" ? "done" : "refused");
      const resolution = state === "completed" ? "task-completed 0" : "task-exception 0";
      expect((await summaryOf(taskId)).slice(3)).toEqual([resolution]);
    });
  });

  it("a task is canceled and claimed: in either order it is canceled", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = await createTask(stack.client);
      const [canceled, claimed] = await outcomes([
        here.queue.cancelTask({ taskId }),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
      ]);
      expect(canceled).toBe("done");
      const [run] = (await statusOf(taskId)).runs;
      expect(run).toMatchObject({ state: "exception", reasonResolved: "canceled" });
      expect(run?.workerId).toBe(claimed === "done" ? "w" : undefined);
      const expected = claimed === "done" ? ["task-running 0", "task-exception 0"] : ["task-exception 0"];
      expect((await summaryOf(taskId)).slice(2)).toEqual(expected);
    });
  });

  it("a run is reported in different ways: one takes effect, with its event", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = await running();
      const id = { taskId, runId: 0 };
      const all = await outcomes([
        here.queue.reportCompleted(id),
        there.queue.reportFailed(id),
        here.queue.reportException(id, { reason: "worker-shutdown" }),
      ]);
      expect(all.filter((one) => one === "done")).toHaveLength(1);
      const [run] = (await statusOf(taskId)).runs;
      expect((await summaryOf(taskId))[3]).toBe(`task-${run?.state} 0`);
    });
  });

  it("a task is rerun and canceled: every run has its events", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = await createTask(stack.client);
      await here.queue.cancelTask({ taskId });
      await outcomes([here.queue.rerunTask({ taskId }), there.queue.cancelTask({ taskId })]);
      const { state } = await statusOf(taskId);
      const events = await summaryOf(taskId);
      expect(events.filter((line) => line.endsWith("1"))).toEqual(
        state === "pending" ? ["task-pending 1"] : ["task-pending 1", "task-exception 1"],
      );
    });
  });

  it("a task is created again and claimed: it is never published as pending after it is running", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = slugid();
      const definition = taskDefinition();
      await here.queue.createTask({ taskId }, definition);
      await Promise.all([
        here.queue.createTask({ taskId }, definition),
        there.queue.claimTask({ taskId, runId: 0 }, worker),
        here.queue.rerunTask({ taskId }),
      ]);
      const events = await summaryOf(taskId);
      const last = Math.max(...events.map((line, i) => (line === "task-pending 0" ? i : -1)));
      expect(last).toBeLessThan(events.indexOf("task-running 0"));
    });
  });

  it("a task is created in both processes: it is created once, and published for each call", async () => {
    await servers.repeat(32, async (here, there) => {
      const taskId = slugid();
      const definition = taskDefinition();
      await Promise.all([here, there].map(({ queue }) => queue.createTask({ taskId }, definition)));
      expect((await summaryOf(taskId)).toSorted()).toEqual([
        "task-defined",
        "task-defined",
        "task-pending 0",
        "task-pending 0",
      ]);
      const matchingGroups = await stack.database.db.run(sql`
        select from task_groups where task_group_id = ${taskId} and unresolved = 1`);
      expect(matchingGroups).toBe(1);
    });
  });
});

describe("in two processes", () => {
  it("a claimer is woken by commits of the other process", async () => {
    for (const [i, [here, there]] of [clients, clients.toReversed() as [Client, Client]].entries()) {
      const taskQueueId = `test/woken-${i}`;
      const waiting = here.queue.claimWork({ taskQueueId }, { ...worker, tasks: 1 });
      // Whether this arrives before or after the claim: the claim returns long before any poll.
      const taskId = await createTask(there, { taskQueueId });
      expect((await waiting).tasks.map(({ status }) => status.taskId)).toEqual([taskId]);
    }
  });

  it("claimers never share a run, and none is left", async () => {
    const taskQueueId = "test/shared";
    const ids = await Promise.all(
      Array.from({ length: 120 }, (_, i) => createTask(clients[i % 2 === 0 ? 0 : 1], { taskQueueId })),
    );
    const claimed: string[] = [];
    const allClaimed = new AbortController();
    const work = async (client: Client): Promise<void> => {
      while (claimed.length < ids.length) {
        const { tasks } = await client.queue
          .claimWork({ taskQueueId }, { ...worker, tasks: 3 }, { signal: allClaimed.signal })
          .catch(() => ({ tasks: [] }));
        claimed.push(...tasks.map(({ status }) => status.taskId));
        // Calls that still wait have nothing to receive. Aborting earlier could lose a claimed run.
        if (claimed.length >= ids.length) allClaimed.abort();
      }
    };
    await Promise.all([...clients, ...clients, ...clients].map(work));
    expect(claimed.toSorted()).toEqual(ids.toSorted());
  });

  it("the loops of both expire a claim once", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, running));
    await stack.database.db.run(sql`
      update runs set taken_until = '2026-01-01' where task_id = any(${ids}::text[])`);
    await servers.runLoops("claim-expiry");
    for (const taskId of ids)
      expect((await summaryOf(taskId)).slice(3)).toEqual(["task-exception 0", "task-pending 1"]);
  });
});

describe("a deadlock", () => {
  it("is retried by the batch that lost it", async () => {
    const { db } = stack.database;
    const { monitor } = testMonitor();
    const metrics = declareMetrics(monitor.metrics.registry, queueMetrics);
    const end = createEndTask({ db, clock: systemClock, metrics, monitor }, "canceled");
    const lock = (tx: Queryable, taskId: string) =>
      tx.run(sql`select from tasks where task_id = ${taskId} for update`);

    /**
     * Reports whether the batch lost the deadlock. On a busy machine the test's own transaction may lose it. Either way
     * the batch succeeds.
     */
    async function batchLost(): Promise<boolean> {
      const [first = "", second = ""] = [await running(), await running()].toSorted();
      let results: Promise<unknown[]> | undefined;
      let lost = true;
      await db.tx(async (tx) => {
        if (results) {
          // This transaction was the victim, and the database layer retries it.
          lost = false;
          return;
        }
        await lock(tx, second);
        results = Promise.all([end(first), end(second)]);
        await until("the batch to wait for the lock", async () => {
          const waiting = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
          return waiting > 0;
        });
        // Now both wait for each other. PostgreSQL aborts the one that has waited for a second first: the batch, if this
        // statement arrives within that second.
        await lock(tx, first);
      });
      expect(await results).toMatchObject([{ task_id: first }, { task_id: second }]);
      return lost;
    }

    let lost = false;
    for (let attempt = 0; attempt < 5 && !lost; attempt++) lost = await batchLost();
    expect(lost).toBe(true);
  });

  it("does not occur between reclaims and resolutions: both lock runs in the same order", async () => {
    const { db } = stack.database;
    const [first = "", second = ""] = [await running(), await running()].toSorted();
    const reclaim = (taskId: string) => ({ taskId, runId: 0, takenUntil: new Date().toISOString() });
    let reclaimed: Promise<unknown> = Promise.resolve();
    await db.tx(async (tx) => {
      await tx.run(sql`select from runs where task_id = ${first} for update`);
      reclaimed = reclaimRuns(db, [reclaim(second), reclaim(first)], "2026-01-01");
      await until("the batch to wait for the lock", async () => {
        const waiting = await db.run(sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        return waiting > 0;
      });
      expect(await db.run(sql`select from runs where task_id = ${second} for update skip locked`)).toBe(1);
    });
    expect(await reclaimed).toMatchObject([
      { ord: 1, worker_id: "w" },
      { ord: 2, worker_id: "w" },
    ]);
  });

  it("is never reported to a caller, in whatever order batches overlap", async () => {
    const groups = [slugid(), slugid(), slugid()];
    for (let iteration = 0; iteration < 2; iteration++) {
      const ids: string[] = [];
      for (let i = 0; i < 24; i++) {
        const dependencies = ids.filter((_, j) => (i * 7 + j * 3 + iteration) % 5 === 0).slice(0, 4);
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
          ids[(i * 11 + iteration) % 24] ?? "",
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
