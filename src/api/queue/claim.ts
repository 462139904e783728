// Requests and replies of workers: claims, reclaims and resolutions.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";
import { EXCEPTION_REASONS, RunId, TaskStatus, WorkerPart } from "./status.ts";
import { Slugid, TaskDefinition } from "./task.ts";

export const MAX_TASKS_PER_CLAIM = 32;

/** Temporary credentials. `certificate` is JSON text. */
export const TaskCredentials = exactly({
  clientId: Type.String({ minLength: 1 }),
  accessToken: Type.String({ minLength: 1 }),
  certificate: Type.String({ minLength: 1 }),
});
export type TaskCredentials = Static<typeof TaskCredentials>;

export const ClaimWorkRequest = exactly({
  workerGroup: WorkerPart,
  workerId: WorkerPart,
  tasks: Type.Integer({ minimum: 1, maximum: MAX_TASKS_PER_CLAIM, default: 1 }),
  // Not in Taskcluster, where the runs of a lost reply cannot be retrieved.
  claimId: Type.Optional({
    ...Slugid,
    description:
      "Makes the claim idempotent. If the same worker repeats the call with the same `claimId`, the reply contains the runs of the first call that are still running.",
  } as typeof Slugid),
});
export type ClaimWorkRequest = Static<typeof ClaimWorkRequest>;

const claim = {
  status: TaskStatus,
  runId: RunId,
  workerGroup: WorkerPart,
  workerId: WorkerPart,
  takenUntil: DateTime,
};
export const ClaimedTask = exactly({ ...claim, task: TaskDefinition, credentials: TaskCredentials });
export type ClaimedTask = Static<typeof ClaimedTask>;
const ClaimWorkReply = exactly({ tasks: Type.Array(ClaimedTask, { uniqueItems: true }) });
export const ReclaimReply = exactly({ ...claim, credentials: TaskCredentials });
export type ReclaimReply = Static<typeof ReclaimReply>;

const ClaimTaskRequest = exactly({ workerGroup: WorkerPart, workerId: WorkerPart });
const ExceptionRequest = exactly({ reason: oneOfStrings(EXCEPTION_REASONS) });

export const claimWorkRequestFile = named("v1/claim-work-request.json", ClaimWorkRequest);
export const claimWorkReplyFile = named("v1/claim-work-response.json", ClaimWorkReply);
export const claimTaskRequestFile = named("v1/task-claim-request.json", ClaimTaskRequest);
export const claimTaskReplyFile = named("v1/task-claim-response.json", ClaimedTask);
export const reclaimReplyFile = named("v1/task-reclaim-response.json", ReclaimReply);
export const exceptionRequestFile = named("v1/task-exception-request.json", ExceptionRequest);
