// What registrations are refused with, in several methods.
import { ApiError } from "../../../../lib/errors.ts";
import type { WorkerKey } from "../workers/store/workers.ts";

export const otherProvider = ({ workerPoolId, workerId }: WorkerKey, providerId: string): ApiError =>
  new ApiError(
    "InputError",
    `Worker ${workerId} of the pool ${workerPoolId} does not have the provider ${providerId}. Send the provider with which it was created.`,
  );

export const expiredWorker = (): ApiError =>
  new ApiError(
    "InputError",
    "Worker has expired. Use updateWorker to extend its expiry, or another workerId.",
  );
