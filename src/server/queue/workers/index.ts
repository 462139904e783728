// What the queue knows of task queues and workers: its methods and its loops.
import type { queueApi } from "../../../api/queue/index.ts";
import type { workerMetadataEndpoints } from "../../../api/queue/worker-metadata-endpoints.ts";
import type { Handlers } from "../../core/http/serve.ts";
import type { QueueContext } from "../context.ts";
import { declareWorker, quarantineWorker } from "./change-worker.ts";
import { countHandlers } from "./count-tasks.ts";
import type { WorkerLedger } from "./ledger.ts";
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

export { expireWorkers } from "./expire-workers.ts";
export { refreshGauges } from "./gauges.ts";
export { createWorkerLedger } from "./ledger.ts";

export const workerMetadataHandlers = (
  ctx: QueueContext,
  ledger: WorkerLedger,
): Pick<Handlers<typeof queueApi>, keyof typeof workerMetadataEndpoints> => ({
  listProvisioners: listProvisioners(ctx, ledger),
  getProvisioner: getProvisioner(ctx, ledger),
  ...countHandlers(ctx),
  listPendingTasks: listPendingTasks(ctx),
  listClaimedTasks: listClaimedTasks(ctx),
  listWorkerTypes: listWorkerTypes(ctx, ledger),
  getWorkerType: getWorkerType(ctx, ledger),
  listTaskQueues: listTaskQueues(ctx, ledger),
  getTaskQueue: getTaskQueue(ctx, ledger),
  listWorkers: listWorkers(ctx, ledger),
  getWorker: getWorker(ctx, ledger),
  quarantineWorker: quarantineWorker(ctx, ledger),
  declareWorker: declareWorker(ctx, ledger),
});
