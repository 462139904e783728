// Workers of pools, alone and joined with what the queue has recorded about them.
import Type, { type Static } from "typebox";
import { ProvisionerId, TaskQueueId, WorkerType } from "../queue/task.ts";
import { QuarantineDetail, TaskRun } from "../queue/workers.ts";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { Identifier, Secret, WorkerPoolId } from "./pools.ts";

export const WORKER_STATES = ["requested", "running", "stopping", "stopped"] as const;
const anyState = oneOfStrings([...WORKER_STATES, "standalone"], { examples: ["running"] });
export const Capacity = Type.Integer({ minimum: 1 });
const continuationToken = Type.Optional(Type.String());

const ManagedWorker = exactly({
  workerPoolId: WorkerPoolId,
  workerGroup: Identifier,
  workerId: Identifier,
  providerId: Identifier,
  created: DateTime,
  expires: DateTime,
  state: oneOfStrings(WORKER_STATES, { examples: ["running"] }),
  capacity: Capacity,
  lastModified: DateTime,
  lastChecked: DateTime,
  launchConfigId: Type.Optional(Identifier),
});
export type ManagedWorker = Static<typeof ManagedWorker>;

const WorkerRequest = exactly({
  expires: DateTime,
  capacity: Type.Optional(Capacity),
  providerInfo: Type.Optional(oneOf(exactly({ staticSecret: Secret }))),
});
export type WorkerRequest = Static<typeof WorkerRequest>;

const joined = {
  workerGroup: Identifier,
  workerId: Identifier,
  workerPoolId: Type.Optional(TaskQueueId),
  lastDateActive: Type.Optional(DateTime),
  quarantineUntil: Type.Optional(DateTime),
  /** `standalone` if only the queue has seen the worker. */
  state: Type.Optional(anyState),
  capacity: Type.Optional(Type.Integer({ minimum: 0 })),
  providerId: Type.Optional(Identifier),
  launchConfigId: Type.Optional(Identifier),
};
const JoinedWorker = exactly({
  provisionerId: ProvisionerId,
  workerType: WorkerType,
  ...joined,
  firstClaim: DateTime,
  expires: DateTime,
  recentTasks: Type.Array(TaskRun, { uniqueItems: false }),
  quarantineDetails: Type.Optional(Type.Array(QuarantineDetail, { uniqueItems: true })),
});
export type JoinedWorker = Static<typeof JoinedWorker>;

const ListedWorker = exactly({
  ...joined,
  firstClaim: Type.Optional(DateTime),
  latestTask: Type.Optional(TaskRun),
});
export type ListedWorker = Static<typeof ListedWorker>;

export const managedWorkerFile = named("v1/worker-full.json", ManagedWorker);
export const workerRequestFile = named("v1/create-worker-request.json", WorkerRequest);
export const managedWorkerListFile = named(
  "v1/worker-list.json",
  exactly({ workers: Type.Array(ManagedWorker, { uniqueItems: true }), continuationToken }),
);
export const joinedWorkerFile = named("v1/worker-response.json", JoinedWorker);
export const joinedWorkerListFile = named(
  "v1/list-workers-response.json",
  exactly({ workers: Type.Array(ListedWorker, { uniqueItems: true }), continuationToken }),
);
export const shouldTerminateFile = named(
  "v1/should-worker-terminate-response.json",
  exactly({ terminate: Type.Boolean(), reason: Type.String({ minLength: 1 }) }),
);
