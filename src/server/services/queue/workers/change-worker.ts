// declareWorker and quarantineWorker: what people and provisioners say of workers.
import { TASK_QUEUE_ID_PATTERN } from "../../../../api/queue/task.ts";
import type { QuarantineDetail } from "../../../../api/queue/workers.ts";
import type { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { declareWorker as declare, quarantineWorker as quarantine } from "./store/workers.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { unknownWorker, workerOf, workerReply } from "./read-workers.ts";

type Endpoints = typeof workerEndpoints;

const taskQueueId = new RegExp(TASK_QUEUE_ID_PATTERN);

export function declareWorker(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["declareWorker"]> {
  return async (call) => {
    call.authorize({ ...call.params, properties: Object.keys(call.body) });
    const worker = workerOf(call.params);
    if (!taskQueueId.test(worker.taskQueueId))
      throw new ApiError(
        "InputError",
        `There can be no task queue ${worker.taskQueueId}: worker types are of a-z, 0-9 and -, and begin with a letter.`,
      );
    await activity.flush();
    const expires = new Date(call.body.expires).toISOString();
    const row = await declare(ctx.db, worker, expires, timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    return workerReply(ctx, worker, row);
  };
}

export function quarantineWorker(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["quarantineWorker"]> {
  return async (call) => {
    const worker = workerOf(call.params);
    const detail: QuarantineDetail = {
      clientId: call.caller.identity().clientId ?? "anonymous",
      updatedAt: timestamp(ctx),
      quarantineUntil: new Date(call.body.quarantineUntil).toISOString(),
      quarantineInfo: call.body.quarantineInfo ?? "[unspecified]",
    };
    // Before the look for the worker: it may be known to this process alone so far.
    await activity.flush();
    const { quarantineUntil } = detail;
    const row = await quarantine(ctx.db, worker, quarantineUntil, JSON.stringify(detail), timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    ctx.monitor.log.info({ ...worker, ...detail }, "the quarantine of a worker was set");
    return workerReply(ctx, worker, row);
  };
}
