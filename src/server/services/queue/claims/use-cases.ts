// Claims: how workers get runs and keep them.
import type { QueueContext } from "../context.ts";
import type { WorkerActivity } from "../workers/activity-buffer.ts";
import type { ClaimDispatcher } from "./claim-dispatcher.ts";
import { claimTask, claimWork, reclaimTask } from "./claim-work.ts";

export type ClaimUseCases = ReturnType<typeof claimUseCases>;

export const claimUseCases = (ctx: QueueContext, dispatcher: ClaimDispatcher, activity: WorkerActivity) => ({
  claimWork: claimWork(ctx, dispatcher, activity),
  claimTask: claimTask(ctx, activity),
  reclaimTask: reclaimTask(ctx, activity),
});
