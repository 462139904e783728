// The watchdog runs without pause while clients concurrently perform every operation on tasks: it has no findings.
import { expect, onTestFinished, test } from "vitest";
import type { ClientError } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { sql } from "../../src/server/core/sql.ts";
import { taskDefinition } from "../support/factories.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { startLoad } from "./load.ts";

const queue = {
  // Deadlines pass during the test.
  deadlineDelay: 100,
  loopInterval: 50,
  watchdogInterval: 1,
  watchdogPatience: 5_000,
};
const clients = 6;
const callsPerClient = 60;

/** Runs the watchdogs in turn until the returned function is called, which returns the number of runs. */
function startWatching(...stacks: readonly Stack[]): () => Promise<number> {
  let runs = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped)
      for (const stack of stacks) {
        await stack.runLoop("watchdog");
        runs++;
      }
  })();
  return async () => {
    stopped = true;
    await watching;
    return runs;
  };
}

/** Makes calls of all kinds on tasks that all clients share, chosen by a pseudorandom sequence with a fixed seed. */
async function callAtRandom(
  stack: Stack,
  seed: number,
  ids: string[],
  groups: readonly string[],
): Promise<void> {
  let state = seed * 7919 + 13;
  const choose = (n: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 65_536) % n;
  };
  const { queue: api } = stack.client;
  const create = async (): Promise<unknown> => {
    const taskId = slugid();
    const dependencies = [
      ...new Set(Array.from({ length: choose(4) }, () => ids[choose(ids.length)] ?? taskId)),
    ];
    const seconds = choose(12) === 0 ? 1 : 3_600;
    const definition = taskDefinition({
      dependencies: choose(30) === 0 ? [...new Set([...dependencies, taskId])] : dependencies,
      requires: choose(2) === 0 ? "all-resolved" : "all-completed",
      taskGroupId: groups[choose(groups.length)] ?? taskId,
      retries: choose(3),
      deadline: new Date(Date.now() + seconds * 1_000).toISOString(),
    });
    const reply = await api.createTask({ taskId }, definition);
    ids.push(taskId);
    return reply;
  };
  const act = (): Promise<unknown> => {
    const taskId = ids[choose(ids.length)] ?? "";
    const run = { taskId, runId: choose(3) };
    const taskGroupId = groups[choose(groups.length)] ?? "";
    const worker = { workerGroup: "g", workerId: `w${choose(3)}` };
    const newPriority = (["high", "medium", "low"] as const)[choose(3)] ?? "low";
    const kind = choose(24);
    if (kind < 6 || ids.length < 5) return create();
    if (kind < 11) return api.claimTask(run, worker);
    if (kind < 14) return api.reportCompleted(run);
    if (kind < 15) return api.reportFailed(run);
    if (kind < 16) return api.reportException(run, { reason: "intermittent-task" });
    if (kind < 18) return api.reclaimTask(run);
    if (kind < 19) return api.cancelTask({ taskId });
    if (kind < 20) return api.scheduleTask({ taskId });
    if (kind < 22) return api.rerunTask({ taskId });
    if (kind < 23) return api.changeTaskPriority({ taskId }, { newPriority });
    return api.changeTaskGroupPriority({ taskGroupId }, { newPriority });
  };
  for (let i = 0; i < callsPerClient; i++) {
    const refusal = await act().then(
      () => undefined,
      (error: ClientError) => error,
    );
    if (refusal) expect(["RequestConflict", "ResourceNotFound", "InputError"]).toContain(refusal.code);
  }
}

test(
  "the watchdog has no findings under load, with small and large slices",
  { timeout: 120_000 },
  async () => {
    // Its claims expire during the test.
    const expiring = { claimTimeout: 300, claimWorkTimeout: 100, watchdogSlice: 40 };
    const stack = await testStack({ config: { queue: { ...queue, ...expiring } } });
    const { database } = stack;
    // A second server whose claims do not expire, for clients that complete their tasks. It has no loops but the watchdog.
    const lasting = { claimWorkTimeout: 500, watchdogSlice: 500 };
    const other = await testStack({
      database,
      manualLoops: true,
      config: { queue: { ...queue, ...lasting } },
    });
    onTestFinished(async () => {
      await other.stop();
      await stack.stop();
    });
    const { db } = database;
    // Backdates the log. Checks of events allow a margin for clock skew after its start, longer than the test.
    await db.run(sql`update event_epochs set began = now() - interval '1 hour'`);
    await db.run(sql`update schema_migrations set applied_at = now() - interval '1 hour'`);
    const stopWatching = startWatching(stack, other);
    const load = startLoad({ client: () => other.client, isOutage: () => false });
    const ids: string[] = [];
    const groups = [slugid(), slugid(), slugid(), slugid()];
    await Promise.all(Array.from({ length: clients }, (_, i) => callAtRandom(stack, i, ids, groups)));
    await load.finish();
    // Waits for a whole pass of every check after the load.
    const before = Date.now();
    const timeoutMs = 60_000;
    const passOfEach = async () => {
      const reply = await stack.client.queue.watchdog();
      const times = reply.checks.map(({ passed }) => (passed === undefined ? 0 : Date.parse(passed)));
      return Math.min(...times) >= before + 200 && reply;
    };
    const reply = await until("a pass of every check", passOfEach, timeoutMs);
    expect(await stopWatching()).toBeGreaterThan(5);
    expect(reply.findings).toEqual([]);
    const records = [...stack.records, ...other.records];
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
    // The load has covered these cases.
    expect(await db.run(sql`select from runs where quiet`)).toBeGreaterThan(0);
    expect(await db.run(sql`select from runs where reason_resolved = 'claim-expired'`)).toBeGreaterThan(0);
    expect(await db.run(sql`select from tasks where run_count = 0`)).toBeGreaterThan(0);
  },
);
