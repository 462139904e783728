// The task queues from which workers have requested work, under each of the three names that the API has for them.
import { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type {
  Provisioner,
  ProvisionerReply,
  TaskQueue,
  WorkerTypeDeclaration,
  WorkerTypeInfo,
  WorkerTypeReply,
} from "../../../../api/queue/task-queues.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { partsOf, requireTaskQueueId } from "../task-queue-id.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { readTaskCounts } from "./store/gauges.ts";
import {
  declareTaskQueue,
  readProvisioner,
  readProvisioners,
  readTaskQueue,
  readTaskQueues,
  type ProvisionerRow,
  type TaskQueueRow,
} from "./store/task-queues.ts";
import { InternalError } from "../../../../lib/internal-error.ts";

const PAGE = 1000;

/**
 * Returns the properties for which a declaration requires scopes. One without any requires the scope of the empty name: it
 * creates or reads something too.
 */
export function declaredProperties(declaration: object): readonly string[] {
  const names = Object.keys(declaration);
  return names.length > 0 ? names : [""];
}

const times = (row: { readonly last_date_active: Date; readonly expires: Date }) => ({
  expires: row.expires.toISOString(),
  lastDateActive: row.last_date_active.toISOString(),
});

const taskQueue = ({ task_queue_id, description, stability, ...row }: TaskQueueRow): TaskQueue => ({
  taskQueueId: task_queue_id,
  description,
  stability,
  ...times(row),
});

const workerTypeInfo = (row: TaskQueueRow): WorkerTypeInfo => ({
  ...partsOf(row.task_queue_id),
  ...taskQueue(row),
});

const workerTypeReply = (row: TaskQueueRow): WorkerTypeReply => ({ ...workerTypeInfo(row), actions: [] });

const provisioner = ({ provisioner_id: provisionerId, ...row }: ProvisionerRow): Provisioner => ({
  provisionerId,
  description: "",
  stability: "experimental",
  ...times(row),
});

/** Reads a queue; throws `ResourceNotFound`. */
async function requireTaskQueue(
  ctx: QueueContext,
  activity: WorkerActivity,
  taskQueueId: string,
): Promise<TaskQueueRow> {
  await activity.flush();
  const row = await readTaskQueue(ctx.db, taskQueueId, timestamp(ctx));
  if (row) return row;
  throw new ApiError(
    "ResourceNotFound",
    `Task queue ${taskQueueId} does not exist: no worker has requested work from it recently. Tasks can be created in it all the same: start a worker for them.`,
  );
}

export const getTaskQueue =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, taskQueueId: string): Promise<TaskQueue> => {
    caller.authorize(taskQueueEndpoints.getTaskQueue, { taskQueueId });
    return taskQueue(await requireTaskQueue(ctx, activity, taskQueueId));
  };

export const getWorkerType =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, taskQueueId: string): Promise<WorkerTypeReply> => {
    caller.authorize(taskQueueEndpoints.getWorkerType, partsOf(taskQueueId));
    return workerTypeReply(await requireTaskQueue(ctx, activity, taskQueueId));
  };

export const declareWorkerType =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (
    caller: Caller,
    taskQueueId: string,
    declaration: WorkerTypeDeclaration,
  ): Promise<WorkerTypeReply> => {
    const properties = declaredProperties(declaration);
    caller.authorize(taskQueueEndpoints.declareWorkerType, { ...partsOf(taskQueueId), properties });
    requireTaskQueueId(taskQueueId);
    await activity.flush();
    const row = await declareTaskQueue(ctx.db, taskQueueId, declaration, timestamp(ctx));
    if (!row) throw new InternalError(`declaring ${taskQueueId} returned no row`);
    return workerTypeReply(row);
  };

export const listTaskQueues =
  (ctx: QueueContext, activity: WorkerActivity) => async (caller: Caller, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.listTaskQueues, {});
    const { after, limit } = decodePage(page, PAGE);
    await activity.flush();
    const found = await readTaskQueues(ctx.db, { after }, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.task_queue_id);
    return { taskQueues: rows.map(taskQueue), ...more };
  };

export const taskQueueOverview =
  (ctx: QueueContext, activity: WorkerActivity) => async (caller: Caller, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.taskQueueOverview, {});
    const { after, limit } = decodePage(page, PAGE);
    await activity.flush();
    // The statement counts all queues in any case, of which there are at most thousands.
    const found = (await readTaskCounts(ctx.db, timestamp(ctx)))
      .filter((row) => row.task_queue_id > after)
      .sort((a, b) => (a.task_queue_id < b.task_queue_id ? -1 : 1));
    const { rows, more } = pageOf(found, limit, (row) => row.task_queue_id);
    const taskQueues = rows.map((row) => ({
      taskQueueId: row.task_queue_id,
      pendingTasks: row.pending,
      claimedTasks: row.claimed,
      ...(row.last_date_active && { lastDateActive: row.last_date_active.toISOString() }),
    }));
    return { taskQueues, ...more };
  };

export const listWorkerTypes =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, provisionerId: string, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.listWorkerTypes, { provisionerId });
    const { after, limit } = decodePage(page, PAGE);
    // Its queues are those between `provisioner/` and `provisioner0`: 0 is the character after the slash.
    const first = `${provisionerId}/`;
    const range = { after: after > first ? after : first, before: `${provisionerId}0` };
    await activity.flush();
    const found = await readTaskQueues(ctx.db, range, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.task_queue_id);
    return { workerTypes: rows.map(workerTypeInfo), ...more };
  };

export const listProvisioners =
  (ctx: QueueContext, activity: WorkerActivity) => async (caller: Caller, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.listProvisioners, {});
    const { after, limit } = decodePage(page, PAGE);
    await activity.flush();
    const found = await readProvisioners(ctx.db, after, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.provisioner_id);
    return { provisioners: rows.map(provisioner), ...more };
  };

export const getProvisioner =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, provisionerId: string): Promise<ProvisionerReply> => {
    caller.authorize(taskQueueEndpoints.getProvisioner, { provisionerId });
    return requireProvisioner(ctx, activity, provisionerId);
  };

export const declareProvisioner =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, provisionerId: string, declaration: object): Promise<ProvisionerReply> => {
    const properties = declaredProperties(declaration);
    caller.authorize(taskQueueEndpoints.declareProvisioner, { provisionerId, properties });
    return requireProvisioner(ctx, activity, provisionerId);
  };

async function requireProvisioner(
  ctx: QueueContext,
  activity: WorkerActivity,
  provisionerId: string,
): Promise<ProvisionerReply> {
  await activity.flush();
  const row = await readProvisioner(ctx.db, provisionerId, timestamp(ctx));
  if (row) return { ...provisioner(row), actions: [] };
  throw new ApiError(
    "ResourceNotFound",
    `Provisioner ${provisionerId} does not exist: no worker has requested work from one of its queues recently. Check the id, or start a worker.`,
  );
}
