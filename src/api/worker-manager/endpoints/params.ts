// Patterns of path and query parameters that several methods use.
import { identifier, taskQueueId } from "../../queue/endpoints/params.ts";

export { identifier, page } from "../../queue/endpoints/params.ts";

export const ofPool = { workerPoolId: taskQueueId } as const;
export const ofGroup = { ...ofPool, workerGroup: identifier } as const;
export const ofWorker = { ...ofGroup, workerId: identifier } as const;
