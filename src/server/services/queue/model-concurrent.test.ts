// Several concurrent clients on a few tasks, in two processes: whatever they do in whatever order, the runs, reasons,
// retries and events of each task are a sequence that the rules allow.
import fc from "fast-check";
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { taskDefinition } from "../../../../test/support/factories.ts";
import { queueEvents, summarize } from "../../../../test/support/queue-events.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import type { TaskStatus } from "../../../api/queue/status.ts";
import type { Client } from "../../../client/index.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

const maxRuns = 5;
const retries = 2;
let servers: TwoServers;
beforeAll(async () => {
  servers = await twoServers({ queue: { claimWorkTimeout: 1, maxRuns } });
});
afterAll(() => servers.stop());

const calls = {
  schedule: ({ queue }: Client, taskId: string) => queue.scheduleTask({ taskId }),
  rerun: ({ queue }: Client, taskId: string) => queue.rerunTask({ taskId }),
  cancel: ({ queue }: Client, taskId: string) => queue.cancelTask({ taskId }),
  raise: ({ queue }: Client, taskId: string) => queue.changeTaskPriority({ taskId }, { newPriority: "high" }),
  lower: ({ queue }: Client, taskId: string) => queue.changeTaskPriority({ taskId }, { newPriority: "low" }),
  claim: (client: Client, taskId: string) =>
    onLatest(client, taskId, (run) => client.queue.claimTask(run, { workerGroup: "g", workerId: "w" })),
  reclaim: (client: Client, taskId: string) => onLatest(client, taskId, client.queue.reclaimTask),
  complete: (client: Client, taskId: string) => onLatest(client, taskId, client.queue.reportCompleted),
  fail: (client: Client, taskId: string) => onLatest(client, taskId, client.queue.reportFailed),
  shutdown: (client: Client, taskId: string) =>
    onLatest(client, taskId, (run) => client.queue.reportException(run, { reason: "worker-shutdown" })),
  "claim expiry": async ({ queue }: Client, taskId: string) => {
    await servers.stack.database.db.run(sql`
      update runs set taken_until = '2026-01-01' where task_id = ${taskId} and state = 'running'`);
    await servers.runLoops("claim-expiry");
    return queue.status({ taskId });
  },
} as const satisfies Record<string, (client: Client, taskId: string) => Promise<unknown>>;
type Call = keyof typeof calls;

async function onLatest(
  { queue }: Client,
  taskId: string,
  call: (run: { taskId: string; runId: number }) => Promise<unknown>,
): Promise<unknown> {
  const { status } = await queue.status({ taskId });
  return call({ taskId, runId: Math.max(0, status.runs.length - 1) });
}

/** The calls of each client in order: the task's position, and the call. */
const scripts = fc.array(
  fc.array(
    fc.tuple(
      fc.nat({ max: 2 }),
      fc.constantFrom<Call>(
        ...(Object.keys(calls) as Call[]),
        // Calls that lead to further transitions are more frequent.
        ...(["claim", "claim", "claim", "complete", "shutdown", "rerun", "rerun"] as const),
      ),
    ),
    { minLength: 8, maxLength: 16, size: "max" },
  ),
  { minLength: 4, maxLength: 4 },
);

const retriedAs: Readonly<Record<string, string>> = { "worker-shutdown": "retry", "claim-expired": "retry" };

/** Checks the runs of a task against the rules for which run may follow which. */
function expectLegalRuns({ runs, retriesLeft, state }: TaskStatus): void {
  let remainingRetries = retries;
  for (const [i, run] of runs.entries()) {
    const before = runs[i - 1];
    if (run.reasonCreated === "rerun") remainingRetries = Math.min(retries, maxRuns - i - 1);
    else if (before === undefined) expect(["scheduled", "exception"]).toContain(run.reasonCreated);
    else {
      expect(run.reasonCreated).toBe(retriedAs[before.reasonResolved ?? ""]);
      remainingRetries--;
    }
    expect(remainingRetries).toBeGreaterThanOrEqual(0);
    if (before) expect(["completed", "failed", "exception"]).toContain(before.state);
    expect(run.state === "pending" || run.state === "running").toBe(run.resolved === undefined);
    // No task is resolved while retries remain.
    const isLast = i === runs.length - 1;
    if (isLast && retriedAs[run.reasonResolved ?? ""] !== undefined) expect(remainingRetries).toBe(0);
  }
  expect(retriesLeft).toBe(remainingRetries);
  expect(state).toBe(runs.at(-1)?.state ?? "unscheduled");
}

/** Returns the events that these runs must have, without repetitions. */
function expectedEvents({ runs }: TaskStatus): string[] {
  return runs.flatMap((run, i) => [
    ...(run.reasonCreated === "exception" ? [] : [`task-pending ${i}`]),
    ...(run.started === undefined ? [] : [`task-running ${i}`]),
    ...(run.resolved === undefined ? [] : [`task-${run.state} ${i}`]),
  ]);
}
/** Returns the log records of both processes about the runs of a task, in the same format. */
const recordsOf = (id: string): string[] =>
  [servers.stack, servers.other].flatMap(({ records }) =>
    records
      .filter(
        ({ taskId, msg }) =>
          taskId === id && /^task-(?!claimed|reclaimed|defined|priority)/.test(String(msg)),
      )
      .map(({ msg, runId }) => `${String(msg)} ${String(runId)}`),
  );
/** Returns each line once, at its first position. */
const once = (lines: readonly string[]): string[] => [...new Set(lines)];

const Counters = Type.Object({
  unresolved: Type.Integer(),
  unsatisfied: Type.Integer(),
  waiting: Type.Integer(),
});

it("concurrent calls have an outcome that some sequence of calls could have", async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (clients) => {
      const { stack, other } = servers;
      const { db } = stack.database;
      const ids = [slugid(), slugid(), slugid()];
      const [taskGroupId = ""] = ids;
      for (const [i, taskId] of ids.entries()) {
        const dependencies = ids.slice(0, i);
        const definition = taskDefinition({ taskGroupId, dependencies, retries, requires: "all-resolved" });
        await stack.client.queue.createTask({ taskId }, definition);
      }
      await Promise.all(
        clients.map(async (script, i) => {
          for (const [task, call] of script) {
            const taskId = ids[task] ?? "";
            const codes = ["RequestConflict", "ResourceNotFound"];
            await outcomes([calls[call]((i % 2 === 0 ? stack : other).client, taskId)], codes);
          }
        }),
      );
      const events = await queueEvents(db, { taskGroupId });
      let resolved = 0;
      for (const taskId of ids) {
        const { status } = await stack.client.queue.status({ taskId });
        expectLegalRuns(status);
        const own = events.filter(({ payload }) => payload.status?.taskId === taskId);
        const published = summarize(own).filter(
          (line) => line !== "task-defined" && line !== "task-priority-changed",
        );
        expect(once(published)).toEqual(expectedEvents(status));
        // Each transition has exactly one record, in the log of the process that made it.
        expect(recordsOf(taskId).toSorted()).toEqual(expectedEvents(status).toSorted());
        // With or without repetitions, the last event has the current status.
        const last = own.at(-1)?.payload.status;
        if (own.length > 1)
          expect(last?.runs.map((run) => run.state)).toEqual(status.runs.map((run) => run.state));
        expect((await stack.client.queue.task({ taskId })).priority).toBe(status.priority);
        const isResolved = !["unscheduled", "pending", "running"].includes(status.state);
        if (isResolved || status.runs.some((run, i) => i > 0 && run.reasonCreated === "rerun")) resolved++;
      }
      const counters = await db.maybeOne(
        Counters,
        sql`
        select unresolved,
          (select sum(unsatisfied)::integer from tasks where task_id = any(${ids}::text[])) as unsatisfied,
          (select count(*)::integer from task_dependencies
            where dependent = any(${ids}::text[]) and not satisfied) as waiting
        from task_groups where task_group_id = ${taskGroupId}`,
      );
      expect(counters?.unresolved).toBe(ids.length - resolved);
      expect(counters?.unsatisfied).toBe(counters?.waiting);
      const groupEvents = events.filter(({ kind }) => kind === "task-group-resolved");
      expect(groupEvents.length > 0).toBe(resolved === ids.length);
    }),
    { numRuns: 10 },
  );
  for (const { records } of [servers.stack, servers.other])
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
}, 180_000);
