// The queues `built-in/succeed` and `built-in/fail`, whose tasks the server itself resolves: for tests of graphs, and
// for tasks that only gather others.
import { timestamp, type QueueContext } from "../context.ts";
import { pendingTopic } from "../sql/wakes.ts";
import type { RunOnce } from "../../../core/loop.ts";
import type { QueueHeads } from "./queue-heads.ts";
import { recordClaims } from "../transition-log.ts";
import type { Resolve } from "../resolution/end-runs.ts";
import { claimPending } from "./store/claim-pending.ts";
import type { ClaimedRow } from "./store/claimed-runs.ts";
import type { WorkerActivity } from "../workers/activity-buffer.ts";

const WORKER_GROUP = "built-in";
const outcomes = { succeed: "completed", fail: "failed" } as const;
const workers = ["succeed", "fail"] as const;

const queueOf = (workerId: (typeof workers)[number]): string => `${WORKER_GROUP}/${workerId}`;

/** Woken when there may be something to do. */
export const builtInTopics: readonly string[] = workers.map((id) => pendingTopic(queueOf(id)));

/**
 * One round: claims what is pending and resolves it. Two processes never get the same run; what one claimed and did
 * not resolve, since it died in between, comes back when the claim expires.
 */
export function runBuiltInTasks(
  ctx: QueueContext,
  resolve: Resolve,
  activity: WorkerActivity,
  heads: QueueHeads,
): RunOnce {
  return async () => {
    const { loopBatch, claimTimeout } = ctx.config;
    const claims = await Promise.all(
      workers.map(async (workerId) => {
        const taskQueueId = queueOf(workerId);
        const worker = { workerGroup: WORKER_GROUP, workerId };
        const claimer = { ...worker, claimId: null, tasks: loopBatch };
        const until = timestamp(ctx, claimTimeout);
        const from = heads.from(taskQueueId);
        const at = timestamp(ctx);
        const { runs: rows } = await claimPending(ctx.db, taskQueueId, [claimer], from, at, until);
        heads.recordClaimed(taskQueueId, rows, { from, ms: ctx.clock.now() - Date.parse(at) });
        if (rows.length === 0) return 0;
        activity.claimed({ taskQueueId, ...worker }, rows);
        recordClaims(ctx, { taskQueueId, ...worker }, rows);
        await Promise.all(
          rows.map((row) =>
            resolve({
              taskId: row.task_id,
              runId: row.run_id,
              ...outcomeOf(row, outcomes[workerId]),
              retryAs: null,
              takenUntil: null,
            }),
          ),
        );
        return rows.length;
      }),
    );
    return { more: claims.some((count) => count === loopBatch) };
  };
}

/** Such a task has nothing to be told, so whoever put something into its payload was mistaken about the queue. */
function outcomeOf(
  { definition }: ClaimedRow,
  wanted: "completed" | "failed",
): { state: "completed" | "failed"; reason: string } | { state: "exception"; reason: "malformed-payload" } {
  // The definition passed its schema when it was created: its payload is an object.
  const { payload } = JSON.parse(definition) as { payload: object };
  return Object.keys(payload).length === 0
    ? { state: wanted, reason: wanted }
    : { state: "exception", reason: "malformed-payload" };
}
