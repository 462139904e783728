// What the queue knows of task queues and workers: its methods and its loops.
import type { queueApi } from "../../../../api/queue/index.ts";
import type { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import type { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { Handlers } from "../../../core/http/serve.ts";
import type { QueueContext } from "../context.ts";
import { declareWorker, quarantineWorker } from "./change-worker.ts";
import { countHandlers } from "./count-tasks.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { listClaimedTasks, listPendingTasks } from "./list-tasks.ts";
import { getWorker, listWorkers } from "./read-workers.ts";
import {
  getProvisioner,
  getTaskQueue,
  getWorkerType,
  listProvisioners,
  listTaskQueues,
  listWorkerTypes,
} from "./task-queues.ts";

export { workerHealth } from "./worker-health.ts";
export { expireWorkers } from "./expire-workers.ts";
export { GAUGES_INTERVAL_MS, refreshGauges } from "./gauges.ts";
export { createWorkerActivity } from "./activity-buffer.ts";

export const workerMetadataHandlers = (
  ctx: QueueContext,
  activity: WorkerActivity,
): Pick<Handlers<typeof queueApi>, keyof typeof taskQueueEndpoints | keyof typeof workerEndpoints> => ({
  listProvisioners: listProvisioners(ctx, activity),
  getProvisioner: getProvisioner(ctx, activity),
  ...countHandlers(ctx),
  listPendingTasks: listPendingTasks(ctx),
  listClaimedTasks: listClaimedTasks(ctx),
  listWorkerTypes: listWorkerTypes(ctx, activity),
  getWorkerType: getWorkerType(ctx, activity),
  listTaskQueues: listTaskQueues(ctx, activity),
  getTaskQueue: getTaskQueue(ctx, activity),
  listWorkers: listWorkers(ctx, activity),
  getWorker: getWorker(ctx, activity),
  quarantineWorker: quarantineWorker(ctx, activity),
  declareWorker: declareWorker(ctx, activity),
});
