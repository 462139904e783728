// The methods on task queues and workers over HTTP.
import type { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { TaskQueueParts } from "../task-queue-id.ts";
import type { WorkerKey } from "./store/workers.ts";
import type { WorkerUseCases } from "./use-cases.ts";

const queueOf = ({ provisionerId, workerType }: TaskQueueParts): string => `${provisionerId}/${workerType}`;

const workerOf = (
  params: TaskQueueParts & { readonly workerGroup: string; readonly workerId: string },
): WorkerKey => ({
  taskQueueId: queueOf(params),
  workerGroup: params.workerGroup,
  workerId: params.workerId,
});

export const workerHandlers = (
  queue: WorkerUseCases,
): HandlersOf<typeof taskQueueEndpoints & typeof workerEndpoints> => ({
  pendingTasks: ({ caller, params }) => queue.pendingTasks(caller, params.taskQueueId),
  taskQueueCounts: ({ caller, params }) => queue.taskQueueCounts(caller, params.taskQueueId),
  taskQueueOverview: ({ caller, query }) => queue.taskQueueOverview(caller, query),
  listPendingTasks: ({ caller, params, query }) => queue.listPendingTasks(caller, params.taskQueueId, query),
  listClaimedTasks: ({ caller, params, query }) => queue.listClaimedTasks(caller, params.taskQueueId, query),
  listProvisioners: ({ caller, query }) => queue.listProvisioners(caller, query),
  getProvisioner: ({ caller, params }) => queue.getProvisioner(caller, params.provisionerId),
  declareProvisioner: ({ caller, params, body }) =>
    queue.declareProvisioner(caller, params.provisionerId, body),
  listWorkerTypes: ({ caller, params, query }) => queue.listWorkerTypes(caller, params.provisionerId, query),
  getWorkerType: ({ caller, params }) => queue.getWorkerType(caller, queueOf(params)),
  declareWorkerType: ({ caller, params, body }) => queue.declareWorkerType(caller, queueOf(params), body),
  listTaskQueues: ({ caller, query }) => queue.listTaskQueues(caller, query),
  getTaskQueue: ({ caller, params }) => queue.getTaskQueue(caller, params.taskQueueId),
  listWorkers: ({ caller, params, query: { quarantined, ...page } }) =>
    queue.listWorkers(caller, queueOf(params), {
      ...page,
      ...(quarantined !== undefined && { quarantined: quarantined === "true" }),
    }),
  getWorker: ({ caller, params }) => queue.getWorker(caller, workerOf(params)),
  quarantineWorker: ({ caller, params, body }) => queue.quarantineWorker(caller, workerOf(params), body),
  declareWorker: ({ caller, params, body }) => queue.declareWorker(caller, workerOf(params), body),
});
