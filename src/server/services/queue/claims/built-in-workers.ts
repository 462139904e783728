// The loop that resolves the tasks of `built-in/succeed` and `built-in/fail` in the server: for tests of graphs, and for
// tasks that only combine the results of others.
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { pendingTopic } from "../sql/wakes.ts";
import { parseJson } from "../../../core/json.ts";
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

/** The topics that wake the loop. */
export const builtInTopics: readonly string[] = workers.map((id) => pendingTopic(queueOf(id)));

/**
 * Claims and resolves a batch of pending runs. Several processes may run this loop. If a process dies between claim and
 * resolution, the runs are retried when their claims expire.
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

/** Such a task needs no payload, so a payload means that its author mistook the queue for another. */
function outcomeOf(
  { definition }: ClaimedRow,
  wanted: "completed" | "failed",
): { state: "completed" | "failed"; reason: string } | { state: "exception"; reason: "malformed-payload" } {
  return Object.keys(parseJson(definition).payload).length === 0
    ? { state: wanted, reason: wanted }
    : { state: "exception", reason: "malformed-payload" };
}
