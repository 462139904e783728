// The methods of worker-manager over HTTP.
import type { workerManagerApi } from "../../../api/worker-manager/index.ts";
import { Reply } from "../../core/http/replies.ts";
import type { ServiceHandlers } from "../../core/service.ts";
import type { WorkerManagerUseCases } from "./use-cases.ts";

const poolOf = (params: { readonly provisionerId: string; readonly workerType: string }): string =>
  `${params.provisionerId}/${params.workerType}`;

export const workerManagerHandlers = (
  manager: WorkerManagerUseCases,
): ServiceHandlers<typeof workerManagerApi> => ({
  listProviders: ({ caller, query }) => manager.listProviders(caller, query),
  createWorkerPool: ({ caller, params, body }) => manager.createWorkerPool(caller, params.workerPoolId, body),
  updateWorkerPool: ({ caller, params, body }) => manager.updateWorkerPool(caller, params.workerPoolId, body),
  deleteWorkerPool: ({ caller, params }) => manager.deleteWorkerPool(caller, params.workerPoolId),
  setWorkerPoolSecrets: async ({ caller, params, body }) => {
    await manager.setWorkerPoolSecrets(caller, params.workerPoolId, body);
    return undefined;
  },
  listWorkerPoolLaunchConfigs: ({ caller, params, query }) =>
    manager.listWorkerPoolLaunchConfigs(caller, params.workerPoolId, query),
  workerPoolStats: ({ caller, params }) => manager.workerPoolStats(caller, params.workerPoolId),
  workerPool: ({ caller, params }) => manager.workerPool(caller, params.workerPoolId),
  listWorkerPools: ({ caller, query }) => manager.listWorkerPools(caller, query),
  listWorkerPoolsStats: ({ caller, query }) => manager.listWorkerPoolsStats(caller, query),
  reportWorkerError: ({ caller, params, body }) =>
    manager.reportWorkerError(caller, params.workerPoolId, body),
  workerPoolErrorStats: ({ caller, query }) => manager.workerPoolErrorStats(caller, query.workerPoolId),
  listWorkerPoolErrors: ({ caller, params, query }) =>
    manager.listWorkerPoolErrors(caller, params.workerPoolId, query),
  listWorkersForWorkerGroup: ({ caller, params, query }) =>
    manager.listWorkersForWorkerGroup(caller, params, query),
  worker: ({ caller, params }) => manager.worker(caller, params),
  createWorker: ({ caller, params, body }) => manager.createWorker(caller, params, body),
  updateWorker: ({ caller, params, body }) => manager.updateWorker(caller, params, body),
  // The contract declares no reply. Taskcluster sends an empty object.
  removeWorker: ({ caller, params }) => manager.removeWorker(caller, params).then(() => new Reply(200, {})),
  shouldWorkerTerminate: ({ caller, params }) => manager.shouldWorkerTerminate(caller, params),
  listWorkersForWorkerPool: ({ caller, params, query }) =>
    manager.listWorkersForWorkerPool(caller, params.workerPoolId, query),
  registerWorker: ({ body }) => manager.registerWorker(body),
  reregisterWorker: ({ caller, body }) => manager.reregisterWorker(caller, body),
  listWorkers: ({ caller, params, query }) => manager.listWorkers(caller, poolOf(params), query),
  getWorker: ({ caller, params }) =>
    manager.getWorker(caller, {
      workerPoolId: poolOf(params),
      workerGroup: params.workerGroup,
      workerId: params.workerId,
    }),
});
