// Resolves the runs of workers that worker-manager reports as gone, before their claims expire.
import Type, { type Static } from "typebox";
import { defineConsumer, type ConsumerOptions, type TypedEvent } from "../../../core/event-log/index.ts";
import type { QueueContext } from "../context.ts";
import type { Resolve } from "../resolution/end-runs.ts";
import { runsOfWorker } from "./store/worker-runs.ts";
import { record } from "../transition-log.ts";

/** The members of either message that the queue needs. */
const GoneWorker = Type.Object({
  workerPoolId: Type.String(),
  workerGroup: Type.String(),
  workerId: Type.String(),
});
const workerStopped = {
  exchange: "exchange/taskcluster-worker-manager/v1/worker-stopped",
  schema: GoneWorker,
} as const;
const workerRemoved = {
  exchange: "exchange/taskcluster-worker-manager/v1/worker-removed",
  schema: GoneWorker,
} as const;

/** The consumer `queue-worker-removed` of the event log. */
export const workerRemovedConsumer = (
  ctx: Pick<QueueContext, "db" | "monitor">,
  resolve: Resolve,
): ConsumerOptions =>
  defineConsumer({
    name: "queue-worker-removed",
    on: [workerStopped, workerRemoved],
    handle: (event) => resolveRunsOf(ctx, resolve, event),
  });

/**
 * Resolves the runs that the worker claimed before the event was written. An event may be handled late or twice, and by
 * then the worker may be back under its old name.
 */
async function resolveRunsOf(
  ctx: Pick<QueueContext, "db" | "monitor">,
  resolve: Resolve,
  { recorded, message }: TypedEvent<string, Static<typeof GoneWorker>>,
): Promise<void> {
  const { workerPoolId, workerGroup, workerId } = message;
  const runs = await runsOfWorker(ctx.db, { taskQueueId: workerPoolId, workerGroup, workerId }, recorded);
  const ended = await Promise.all(
    runs.map((run) =>
      resolve({
        taskId: run.task_id,
        runId: run.run_id,
        state: "exception",
        reason: "worker-shutdown",
        retryAs: "retry",
        takenUntil: null,
      }),
    ),
  );
  for (const [i, run] of runs.entries())
    if (ended[i])
      record(ctx, "task-resolved-by-worker-removed", {
        taskId: run.task_id,
        runId: run.run_id,
        workerPoolId,
        workerGroup,
        workerId,
      });
}
