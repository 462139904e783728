// What worker-manager says of workers that are gone: their runs end now, and not when their claims expire.
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { ConsumedEvent, ConsumerOptions } from "../../../core/event-log/index.ts";
import type { QueueContext } from "../context.ts";
import type { Resolve } from "../resolution/end-runs.ts";
import { runsOfWorker } from "./store/worker-runs.ts";

const exchanges = ["worker-stopped", "worker-removed"].map(
  (name) => `exchange/taskcluster-worker-manager/v1/${name}`,
);

/** What the queue needs of either message. */
const GoneWorker = Type.Object({
  workerPoolId: Type.String(),
  workerGroup: Type.String(),
  workerId: Type.String(),
});
const message = Compile(GoneWorker);

/** The consumer `queue-worker-removed` of the event log. */
export function workerRemovedConsumer(ctx: QueueContext, resolve: Resolve): ConsumerOptions {
  return {
    name: "queue-worker-removed",
    accepts: ({ exchange }) => exchanges.includes(exchange),
    handle: async (events) => {
      for (const event of events) await endRunsOf(ctx, resolve, event);
    },
  };
}

/**
 * Only what was claimed before the event was written: an event may be handled late or twice, and the worker may be
 * back by then under its old name.
 */
async function endRunsOf(ctx: QueueContext, resolve: Resolve, event: ConsumedEvent): Promise<void> {
  const { workerPoolId, workerGroup, workerId } = goneWorker(event);
  const runs = await runsOfWorker(
    ctx.db,
    { taskQueueId: workerPoolId, workerGroup, workerId },
    event.recorded,
  );
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
      ctx.monitor.log.info(
        { taskId: run.task_id, runId: run.run_id, workerPoolId, workerGroup, workerId },
        "task-resolved-by-worker-removed",
      );
}

/** Who is gone, by either message; throws where it does not say. */
export function goneWorker({
  exchange,
  payload,
}: Pick<ConsumedEvent, "exchange" | "payload">): Static<typeof GoneWorker> {
  const value: unknown = JSON.parse(payload);
  if (message.Check(value)) return value;
  const [fault] = message.Errors(value);
  throw new Error(`an event of ${exchange} names no worker: ${fault?.message}`);
}
