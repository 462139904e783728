// declareWorker and quarantineWorker: how people and provisioners change workers.
import { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import type { QuarantineDetail, Worker } from "../../../../api/queue/workers.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonOf } from "../../../core/json.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { requireTaskQueueId } from "../task-queue-id.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { scopeParams, unknownWorker, workerReply } from "./read-workers.ts";
import { declareWorker as declare, quarantineWorker as quarantine, type WorkerKey } from "./store/workers.ts";

export const declareWorker =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, worker: WorkerKey, declaration: { readonly expires: string }): Promise<Worker> => {
    const properties = Object.keys(declaration);
    caller.authorize(workerEndpoints.declareWorker, { ...scopeParams(worker), properties });
    requireTaskQueueId(worker.taskQueueId);
    await activity.flush();
    const expires = new Date(declaration.expires).toISOString();
    const row = await declare(ctx.db, worker, expires, timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    return workerReply(worker, row);
  };

export const quarantineWorker =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (
    caller: Caller,
    worker: WorkerKey,
    request: { readonly quarantineUntil: string; readonly quarantineInfo?: string },
  ): Promise<Worker> => {
    caller.authorize(workerEndpoints.quarantineWorker, scopeParams(worker));
    const quarantineUntil = new Date(request.quarantineUntil).toISOString();
    const detail: QuarantineDetail = {
      clientId: caller.identity().clientId ?? "anonymous",
      updatedAt: timestamp(ctx),
      quarantineUntil,
      quarantineInfo: request.quarantineInfo ?? "[unspecified]",
    };
    // Before the worker is read: this process may have seen it and not written it yet.
    await activity.flush();
    const row = await quarantine(ctx.db, worker, quarantineUntil, jsonOf(detail), timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    ctx.monitor.log.info({ ...worker, ...detail }, "the quarantine of a worker was set");
    return workerReply(worker, row);
  };
