// Workers and their quarantine.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { actionsOn } from "./actions.ts";
import { RunId, WorkerPart } from "./status.ts";
import { ProvisionerId, Slugid, TaskQueueId, WorkerType } from "./task.ts";

export const TaskRun = exactly({ taskId: Slugid, runId: RunId });
export type TaskRun = Static<typeof TaskRun>;

export const QuarantineDetail = exactly({
  clientId: Type.String(),
  updatedAt: DateTime,
  quarantineUntil: DateTime,
  quarantineInfo: Type.String(),
});
export type QuarantineDetail = Static<typeof QuarantineDetail>;

const worker = {
  workerGroup: WorkerPart,
  workerId: WorkerPart,
  firstClaim: DateTime,
  /** Absent if the worker was declared and has not requested work yet. */
  lastDateActive: Type.Optional(DateTime),
  /** In the past if the worker is not quarantined. Lists leave it out then. */
  quarantineUntil: Type.Optional(DateTime),
};
const Worker = exactly({
  provisionerId: ProvisionerId,
  workerType: WorkerType,
  taskQueueId: Type.Optional(TaskQueueId),
  ...worker,
  expires: DateTime,
  recentTasks: Type.Array(TaskRun, { uniqueItems: false }),
  quarantineDetails: Type.Optional(Type.Array(QuarantineDetail, { uniqueItems: true })),
  actions: actionsOn(["worker"]),
});
export type Worker = Static<typeof Worker>;

const ListedWorker = exactly({ ...worker, latestTask: Type.Optional(TaskRun) });
export type ListedWorker = Static<typeof ListedWorker>;
const WorkerList = exactly({
  workers: Type.Array(ListedWorker, { uniqueItems: true }),
  continuationToken: Type.Optional(Type.String()),
});

const DeclareRequest = exactly({ expires: DateTime });
const QuarantineRequest = exactly({
  quarantineUntil: DateTime,
  quarantineInfo: Type.Optional(Type.String({ minLength: 0, maxLength: 4000 })),
});

export const taskRunFile = named("v1/task-run.json", TaskRun);
export const workerFile = named("v1/worker-response.json", Worker);
export const workerListFile = named("v1/list-workers-response.json", WorkerList);
export const declareWorkerFile = named("v1/update-worker-request.json", DeclareRequest);
export const quarantineWorkerFile = named("v1/quarantine-worker-request.json", QuarantineRequest);
