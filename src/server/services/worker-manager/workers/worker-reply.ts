// A worker of a pool in the form of replies.
import type { ManagedWorker } from "../../../../api/worker-manager/workers.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { WorkerKey, WorkerRow } from "./store/workers.ts";

export const workerReply = (row: WorkerRow): ManagedWorker => ({
  workerPoolId: row.worker_pool_id,
  workerGroup: row.worker_group,
  workerId: row.worker_id,
  providerId: row.provider_id,
  created: row.created.toISOString(),
  expires: row.expires.toISOString(),
  state: row.state,
  capacity: row.capacity,
  lastModified: row.last_modified.toISOString(),
  lastChecked: row.last_checked.toISOString(),
  ...(row.launch_config_id !== null && { launchConfigId: row.launch_config_id }),
});

export const unknownWorker = ({ workerPoolId, workerGroup, workerId }: WorkerKey): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Worker ${workerGroup}/${workerId} of the pool ${workerPoolId} does not exist, or has expired: check its name with listWorkersForWorkerPool.`,
  );
