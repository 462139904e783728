// Task queues as workers ask them for work, under each of the three names that they have had.
import type { TaskQueue, WorkerTypeInfo, Provisioner } from "../../../../api/queue/task-queues.ts";
import type { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import { timestamp, type QueueContext } from "../context.ts";
import {
  readProvisioner,
  readProvisioners,
  readTaskQueue,
  readTaskQueues,
  type TaskQueueRow,
} from "./store/task-queues.ts";
import type { WorkerActivity } from "./activity-buffer.ts";

type Endpoints = typeof taskQueueEndpoints;

const PAGE = 1000;

const shared = (row: { readonly last_date_active: Date; readonly expires: Date }) => ({
  description: "",
  stability: "experimental" as const,
  expires: row.expires.toISOString(),
  lastDateActive: row.last_date_active.toISOString(),
});

const taskQueue = (row: TaskQueueRow): TaskQueue => ({ taskQueueId: row.task_queue_id, ...shared(row) });

function workerTypeInfo(row: TaskQueueRow): WorkerTypeInfo {
  const [provisionerId = "", workerType = ""] = row.task_queue_id.split("/");
  return { provisionerId, workerType, taskQueueId: row.task_queue_id, ...shared(row) };
}

/** The queue, or `ResourceNotFound`. */
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
    `Task queue ${taskQueueId} does not exist: no worker has asked it for work of late. Tasks can be created in it all the same.`,
  );
}

export function getTaskQueue(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["getTaskQueue"]> {
  return async (call) => taskQueue(await requireTaskQueue(ctx, activity, call.params.taskQueueId));
}

export function getWorkerType(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["getWorkerType"]> {
  return async (call) => {
    const { provisionerId, workerType } = call.params;
    return workerTypeInfo(await requireTaskQueue(ctx, activity, `${provisionerId}/${workerType}`));
  };
}

export function listTaskQueues(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["listTaskQueues"]> {
  return async (call) => {
    const { after, limit } = decodePage(call.query, PAGE);
    await activity.flush();
    const found = await readTaskQueues(ctx.db, { after }, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.task_queue_id);
    return { taskQueues: rows.map(taskQueue), ...more };
  };
}

export function listWorkerTypes(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["listWorkerTypes"]> {
  return async (call) => {
    const { provisionerId } = call.params;
    const page = decodePage(call.query, PAGE);
    // Its queues are those between `provisioner/` and the same with the character that follows the slash.
    const first = `${provisionerId}/`;
    const range = { after: page.after > first ? page.after : first, before: `${provisionerId}0` };
    await activity.flush();
    const found = await readTaskQueues(ctx.db, range, timestamp(ctx), page.limit + 1);
    const { rows, more } = pageOf(found, page.limit, (row) => row.task_queue_id);
    return { workerTypes: rows.map(workerTypeInfo), ...more };
  };
}

export function listProvisioners(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["listProvisioners"]> {
  return async (call) => {
    const { after, limit } = decodePage(call.query, PAGE);
    await activity.flush();
    const found = await readProvisioners(ctx.db, after, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.provisioner_id);
    const provisioner = (row: (typeof rows)[number]): Provisioner => ({
      provisionerId: row.provisioner_id,
      ...shared(row),
    });
    return { provisioners: rows.map(provisioner), ...more };
  };
}

export function getProvisioner(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<Endpoints["getProvisioner"]> {
  return async (call) => {
    const { provisionerId } = call.params;
    await activity.flush();
    const row = await readProvisioner(ctx.db, provisionerId, timestamp(ctx));
    if (row) return { provisionerId, ...shared(row) };
    throw new ApiError(
      "ResourceNotFound",
      `Provisioner ${provisionerId} does not exist: no worker has asked one of its queues for work of late.`,
    );
  };
}
