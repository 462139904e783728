// Task queues and workers: reading and changing them.
import type { QueueContext } from "../context.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { declareWorker, quarantineWorker } from "./change-worker.ts";
import { countUseCases } from "./count-tasks.ts";
import { listClaimedTasks, listPendingTasks } from "./list-tasks.ts";
import { getWorker, listWorkers } from "./read-workers.ts";
import {
  declareProvisioner,
  declareWorkerType,
  getProvisioner,
  getTaskQueue,
  getWorkerType,
  listProvisioners,
  listTaskQueues,
  listWorkerTypes,
  taskQueueOverview,
} from "./task-queues.ts";

export type WorkerUseCases = ReturnType<typeof workerUseCases>;

export const workerUseCases = (ctx: QueueContext, activity: WorkerActivity) => ({
  ...countUseCases(ctx),
  taskQueueOverview: taskQueueOverview(ctx, activity),
  listPendingTasks: listPendingTasks(ctx),
  listClaimedTasks: listClaimedTasks(ctx),
  listProvisioners: listProvisioners(ctx, activity),
  getProvisioner: getProvisioner(ctx, activity),
  declareProvisioner: declareProvisioner(ctx, activity),
  listWorkerTypes: listWorkerTypes(ctx, activity),
  getWorkerType: getWorkerType(ctx, activity),
  declareWorkerType: declareWorkerType(ctx, activity),
  listTaskQueues: listTaskQueues(ctx, activity),
  getTaskQueue: getTaskQueue(ctx, activity),
  listWorkers: listWorkers(ctx, activity),
  getWorker: getWorker(ctx, activity),
  quarantineWorker: quarantineWorker(ctx, activity),
  declareWorker: declareWorker(ctx, activity),
});
