// Worker pools, their launch configs and their numbers.
import Type, { type Static } from "typebox";
import { TaskQueueId } from "../queue/task.ts";
import { DateTime, exactly, named } from "../schema.ts";

/** The id of a provider or launch config, or a part of the name of a worker. */
export const Identifier = Type.String({ minLength: 1, maxLength: 38, pattern: "^([a-zA-Z0-9-_]*)$" });
export const WorkerPoolId = TaskQueueId;
/** A secret of a worker or pool. */
export const SECRET_PATTERN = "^[a-zA-Z0-9_-]{44}$";
export const Secret = Type.String({
  pattern: SECRET_PATTERN,
  examples: ["Zk3vN8qYw1TzR5uXc7BmLp0JhGfDsAeQ2iOxK4tVj9Ub"],
});
/** Any JSON object. */
export const AnyObject = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: "object" });
const Count = Type.Integer({ minimum: 0 });
const continuationToken = Type.Optional(Type.String());

/** Numbers of workers and their capacity, by state. */
const counts = {
  currentCapacity: Count,
  requestedCount: Count,
  runningCount: Count,
  stoppingCount: Count,
  stoppedCount: Count,
  requestedCapacity: Count,
  runningCapacity: Count,
  stoppingCapacity: Count,
  stoppedCapacity: Count,
};
export type Counts = Static<Type.TObject<typeof counts>>;

const given = {
  providerId: Identifier,
  description: Type.String({ maxLength: 10_240 }),
  config: AnyObject,
  owner: Type.String({ format: "email" }),
  emailOnError: Type.Boolean({ description: "Stored and returned. This server sends no mail." }),
};

const WorkerPool = exactly({
  workerPoolId: Type.Optional(WorkerPoolId),
  ...given,
  created: DateTime,
  lastModified: DateTime,
  ...counts,
});
export type WorkerPool = Static<typeof WorkerPool>;

const PoolRequest = exactly(given);
export type PoolRequest = Static<typeof PoolRequest>;

const UpdateRequest = exactly({
  workerPoolId: Type.Optional(WorkerPoolId),
  ...given,
  created: Type.Optional(DateTime),
  lastModified: Type.Optional(DateTime),
});

const LaunchConfig = exactly({
  launchConfigId: Type.String(),
  workerPoolId: Type.String(),
  isArchived: Type.Boolean(),
  configuration: AnyObject,
  created: DateTime,
  lastModified: DateTime,
});
export type LaunchConfig = Static<typeof LaunchConfig>;

export const providerListFile = named(
  "v1/provider-list.json",
  exactly({
    providers: Type.Array(exactly({ providerId: Type.String(), providerType: Type.String() }), {
      uniqueItems: true,
    }),
    continuationToken,
  }),
);
export const workerPoolFile = named("v1/worker-pool-full.json", WorkerPool);
export const createPoolFile = named("v1/create-worker-pool-request.json", PoolRequest);
export const updatePoolFile = named("v1/update-worker-pool-request.json", UpdateRequest);
export const poolListFile = named(
  "v1/worker-pool-list.json",
  exactly({ workerPools: Type.Array(WorkerPool, { uniqueItems: true }), continuationToken }),
);
export const poolListStatsFile = named(
  "v1/worker-pool-list-stats.json",
  exactly({
    workerPoolsStats: Type.Array(exactly({ workerPoolId: WorkerPoolId, ...counts }), { uniqueItems: true }),
    continuationToken,
  }),
);
export const poolStatsFile = named(
  "v1/worker-pool-stats.json",
  exactly({
    launchConfigStats: Type.Array(
      exactly({ workerPoolId: WorkerPoolId, launchConfigId: Type.String(), ...counts }),
    ),
  }),
);
export const launchConfigListFile = named(
  "v1/worker-pool-launch-config-list.json",
  exactly({
    workerPoolLaunchConfigs: Type.Array(LaunchConfig, { uniqueItems: true }),
    continuationToken,
  }),
);
export const poolSecretsFile = named(
  "v1/set-worker-pool-secrets-request.json",
  exactly({
    secrets: Type.Array(Secret, {
      maxItems: 2,
      uniqueItems: true,
      description:
        "The secrets by which workers register: one, two during a rotation, or none. Each has 44 letters, digits, `_` or `-`.",
    }),
  }),
);
