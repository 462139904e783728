// The events of worker-manager.
import Type from "typebox";
import { exchange, keyWord, primaryWord, reservedWord, type Exchange } from "../exchange.ts";
import { Slugid } from "../queue/task.ts";
import { DateTime, exactly, named } from "../schema.ts";
import { ErrorKind, ErrorTitle } from "./errors.ts";
import { Identifier, WorkerPoolId } from "./pools.ts";
import { Capacity } from "./workers.ts";

const routingKey = <const R extends boolean>(known: R) => [
  primaryWord,
  keyWord("providerId", "The provider of the pool or worker.", known),
  keyWord("provisionerId", "The first part of the worker pool id.", known),
  keyWord("workerType", "The second part of the worker pool id.", known),
  keyWord("workerGroup", "The group of the worker, or `_` if the event is not about one.", known),
  keyWord("workerId", "The worker, or `_` if the event is not about one.", known),
  keyWord("launchConfigId", "The launch config, or `_` if there is none.", false),
  reservedWord,
];

const poolMessage = named(
  "v1/pulse-worker-pool-message.json",
  exactly({
    workerPoolId: WorkerPoolId,
    providerId: Identifier,
    previousProviderId: Type.Optional(Identifier),
  }),
);
const launchConfigMessage = named(
  "v1/pulse-launch-config-message.json",
  exactly({ launchConfigId: Identifier, workerPoolId: WorkerPoolId, providerId: Identifier }),
);
const worker = {
  workerPoolId: WorkerPoolId,
  providerId: Identifier,
  workerId: Identifier,
  workerGroup: Identifier,
  capacity: Capacity,
  timestamp: DateTime,
  launchConfigId: Type.Optional(Identifier),
};
const workerMessage = named("v1/pulse-worker-message.json", exactly(worker));
const removedMessage = named(
  "v1/pulse-worker-removed-message.json",
  exactly({ ...worker, reason: Type.String() }),
);
const errorMessage = named(
  "v1/pulse-worker-pool-error-message.json",
  exactly({
    workerPoolId: WorkerPoolId,
    providerId: Identifier,
    errorId: Slugid,
    kind: ErrorKind,
    title: ErrorTitle,
    timestamp: DateTime,
    workerGroup: Type.Optional(Identifier),
    workerId: Type.Optional(Identifier),
    launchConfigId: Type.Optional(Identifier),
  }),
);

const ofPool = routingKey(false);
const ofWorker = routingKey(true);

export const workerManagerExchanges = {
  workerPoolCreated: exchange({
    exchange: "worker-pool-created",
    name: "workerPoolCreated",
    title: "Worker pool created",
    description: "A worker pool was created.",
    routingKey: ofPool,
    message: poolMessage,
    scope: "worker-manager:list-worker-pools",
  }),
  workerPoolUpdated: exchange({
    exchange: "worker-pool-updated",
    name: "workerPoolUpdated",
    title: "Worker pool updated",
    description: "A worker pool was changed or deleted. A deleted pool has the provider `null-provider`.",
    routingKey: ofPool,
    message: poolMessage,
    scope: "worker-manager:list-worker-pools",
  }),
  workerPoolError: exchange({
    exchange: "worker-pool-error",
    name: "workerPoolError",
    title: "Worker pool error",
    description: "An error of a worker pool was reported.",
    routingKey: ofPool,
    message: errorMessage,
    scope: "worker-manager:list-worker-pool-errors:*",
  }),
  workerRequested: exchange({
    exchange: "worker-requested",
    name: "workerRequested",
    title: "Worker requested",
    description: "A worker was added to a pool. Published for workers of the provider `self`.",
    routingKey: ofWorker,
    message: workerMessage,
    scope: "worker-manager:list-workers:*",
  }),
  workerRunning: exchange({
    exchange: "worker-running",
    name: "workerRunning",
    title: "Worker running",
    description: "A worker has registered and runs. Published for workers of the provider `self`.",
    routingKey: ofWorker,
    message: workerMessage,
    scope: "worker-manager:list-workers:*",
  }),
  workerStopped: exchange({
    exchange: "worker-stopped",
    name: "workerStopped",
    title: "Worker stopped",
    description:
      "A worker was removed, or did not register again in time. Published for workers of the provider `self`.",
    routingKey: ofWorker,
    message: workerMessage,
    scope: "worker-manager:list-workers:*",
  }),
  workerRemoved: exchange({
    exchange: "worker-removed",
    name: "workerRemoved",
    title: "Worker removed",
    description: "A stopped worker was removed, and why. Follows `worker-stopped`.",
    routingKey: ofWorker,
    message: removedMessage,
    scope: "worker-manager:list-workers:*",
  }),
  launchConfigCreated: exchange({
    exchange: "launch-config-created",
    name: "launchConfigCreated",
    title: "Launch config created",
    description: "A pool has a new launch config.",
    routingKey: ofPool,
    message: launchConfigMessage,
    scope: "worker-manager:list-worker-pools",
  }),
  launchConfigUpdated: exchange({
    exchange: "launch-config-updated",
    name: "launchConfigUpdated",
    title: "Launch config updated",
    description: "The limits of a launch config were changed, or an archived one is used again.",
    routingKey: ofPool,
    message: launchConfigMessage,
    scope: "worker-manager:list-worker-pools",
  }),
  launchConfigArchived: exchange({
    exchange: "launch-config-archived",
    name: "launchConfigArchived",
    title: "Launch config archived",
    description: "A launch config is no longer part of its pool. Its workers should terminate.",
    routingKey: ofPool,
    message: launchConfigMessage,
    scope: "worker-manager:list-worker-pools",
  }),
} as const satisfies Readonly<Record<string, Exchange>>;
