// All use cases of worker-manager.
import type { WorkerManagerContext } from "./context.ts";
import { errorUseCases } from "./errors/use-cases.ts";
import { changePoolUseCases } from "./pools/change-pool.ts";
import { readPoolUseCases } from "./pools/read-pools.ts";
import { registrationUseCases } from "./registration/register.ts";
import { changeWorkerUseCases } from "./workers/change-worker.ts";
import { queueWorkerUseCases } from "./workers/queue-workers.ts";
import { readWorkerUseCases } from "./workers/read-workers.ts";
import { shouldWorkerTerminate } from "./workers/should-terminate.ts";

export const workerManagerUseCases = (ctx: WorkerManagerContext) => ({
  ...readPoolUseCases(ctx),
  ...changePoolUseCases(ctx),
  ...errorUseCases(ctx),
  ...readWorkerUseCases(ctx),
  ...changeWorkerUseCases(ctx),
  ...queueWorkerUseCases(ctx),
  ...registrationUseCases(ctx),
  shouldWorkerTerminate: shouldWorkerTerminate(ctx),
});
export type WorkerManagerUseCases = ReturnType<typeof workerManagerUseCases>;
