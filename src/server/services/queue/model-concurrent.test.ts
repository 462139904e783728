// Several clients at once, on few tasks, in two processes: whatever they do in whatever order, the runs, their
// reasons, the retries left and the log of each task are one story that the rules allow.
import fc from "fast-check";
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { taskDefinition } from "../../../../test/support/factories.ts";
import { queueEvents, story } from "../../../../test/support/queue-events.ts";
import { outcomes, twoServers, type TwoServers } from "../../../../test/support/two-servers.ts";
import type { TaskStatus } from "../../../api/queue/status.ts";
import type { Client } from "../../../client/index.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

const maxRuns = 5;
const retries = 2;
let servers: TwoServers;
beforeAll(async () => {
  servers = await twoServers({ queue: { loopInterval: 1_000_000, claimWorkTimeout: 1, maxRuns } });
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
  act: (run: { taskId: string; runId: number }) => Promise<unknown>,
): Promise<unknown> {
  const { status } = await queue.status({ taskId });
  return act({ taskId, runId: Math.max(0, status.runs.length - 1) });
}

/** What each of the clients does, one call after the other: on which task, what. */
const scripts = fc.array(
  fc.array(
    fc.tuple(
      fc.nat({ max: 2 }),
      fc.constantFrom<Call>(
        ...(Object.keys(calls) as Call[]),
        // What makes a story go on comes more often.
        ...(["claim", "claim", "claim", "complete", "shutdown", "rerun", "rerun"] as const),
      ),
    ),
    { minLength: 8, maxLength: 16, size: "max" },
  ),
  { minLength: 4, maxLength: 4 },
);

const retriedAs: Readonly<Record<string, string>> = { "worker-shutdown": "retry", "claim-expired": "retry" };

/** Holds the runs of a task against the rules that tell which run may follow which. */
function expectLegalRuns({ runs, retriesLeft, state }: TaskStatus): void {
  let left = retries;
  for (const [i, run] of runs.entries()) {
    const before = runs[i - 1];
    if (run.reasonCreated === "rerun") left = Math.min(retries, maxRuns - i - 1);
    else if (before === undefined) expect(["scheduled", "exception"]).toContain(run.reasonCreated);
    else {
      expect(run.reasonCreated).toBe(retriedAs[before.reasonResolved ?? ""]);
      left--;
    }
    expect(left).toBeGreaterThanOrEqual(0);
    if (before) expect(["completed", "failed", "exception"]).toContain(before.state);
    expect(run.state === "pending" || run.state === "running").toBe(run.resolved === undefined);
    // Nobody is given up who has retries left.
    const isLast = i === runs.length - 1;
    if (isLast && retriedAs[run.reasonResolved ?? ""] !== undefined) expect(left).toBe(0);
  }
  expect(retriesLeft).toBe(left);
  expect(state).toBe(runs.at(-1)?.state ?? "unscheduled");
}

/** The story that the log has to tell of these runs, what is told repeatedly told once. */
function storyOf({ runs }: TaskStatus): string[] {
  return runs.flatMap((run, i) => [
    ...(run.reasonCreated === "exception" ? [] : [`task-pending ${i}`]),
    ...(run.started === undefined ? [] : [`task-running ${i}`]),
    ...(run.resolved === undefined ? [] : [`task-${run.state} ${i}`]),
  ]);
}
/** What the processes recorded of the runs of a task, in the same words. */
const recordsOf = (task: string): string[] =>
  [servers.stack, servers.other].flatMap(({ records }) =>
    records
      .filter(
        ({ taskId, msg }) =>
          taskId === task && /^task-(?!claimed|reclaimed|defined|priority)/.test(String(msg)),
      )
      .map(({ msg, runId }) => `${String(msg)} ${String(runId)}`),
  );
/** Each line once, where it came first. */
const once = (lines: readonly string[]): string[] => [...new Set(lines)];

const Counters = Type.Object({
  unresolved: Type.Integer(),
  unsatisfied: Type.Integer(),
  waiting: Type.Integer(),
});

it("what many do at once is a story that one could have done alone", async () => {
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
        const told = story(own).filter((line) => line !== "task-defined" && line !== "task-priority-changed");
        expect(once(told)).toEqual(storyOf(status));
        // Each transition has a record of the process that made it, and one only.
        expect(recordsOf(taskId).toSorted()).toEqual(storyOf(status).toSorted());
        // Told again or not, the log's last word is what is so.
        const last = own.at(-1)?.payload.status;
        if (own.length > 1)
          expect(last?.runs.map((run) => run.state)).toEqual(status.runs.map((run) => run.state));
        expect((await stack.client.queue.task({ taskId })).priority).toBe(status.priority);
        const isOver = !["unscheduled", "pending", "running"].includes(status.state);
        if (isOver || status.runs.some((run, i) => i > 0 && run.reasonCreated === "rerun")) resolved++;
      }
      const counted = await db.maybeOne(
        Counters,
        sql`
        select unresolved,
          (select sum(unsatisfied)::integer from tasks where task_id = any(${ids}::text[])) as unsatisfied,
          (select count(*)::integer from task_dependencies
            where dependent = any(${ids}::text[]) and not satisfied) as waiting
        from task_groups where task_group_id = ${taskGroupId}`,
      );
      expect(counted?.unresolved).toBe(ids.length - resolved);
      expect(counted?.unsatisfied).toBe(counted?.waiting);
      const groupEvents = events.filter(({ kind }) => kind === "task-group-resolved");
      expect(groupEvents.length > 0).toBe(resolved === ids.length);
    }),
    { numRuns: 10 },
  );
  for (const { records } of [servers.stack, servers.other])
    expect(records.filter((record) => "incidentId" in record)).toEqual([]);
}, 180_000);
