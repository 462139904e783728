// What methods reply if a worker pool does not exist.
import { ApiError } from "../../../../lib/errors.ts";

export const unknownPool = (workerPoolId: string): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Worker pool ${workerPoolId} does not exist: check its id with listWorkerPools, or create it with createWorkerPool.`,
  );
