// The contract of the queue. Shapes are in this folder, by topic; methods are in endpoints/, a file for each feature.
import { named } from "../schema.ts";
import { monitoringEndpoints, service } from "../service.ts";
import { TaskCredentials } from "./claim.ts";
import { artifactEndpoints } from "./endpoints/artifacts.ts";
import { claimEndpoints } from "./endpoints/claims.ts";
import { graphEndpoints } from "./endpoints/graph.ts";
import { groupEndpoints } from "./endpoints/groups.ts";
import { historyEndpoints } from "./endpoints/history.ts";
import { legacyEndpoints } from "./endpoints/legacy.ts";
import { priorityEndpoints } from "./endpoints/priorities.ts";
import { listEndpoints } from "./endpoints/task-lists.ts";
import { taskQueueEndpoints } from "./endpoints/task-queues.ts";
import { taskEndpoints } from "./endpoints/tasks.ts";
import { watchdogEndpoints } from "./endpoints/watchdog.ts";
import { whyEndpoints } from "./endpoints/why.ts";
import { workerEndpoints } from "./endpoints/workers.ts";
import {
  artifactCreated,
  taskCompleted,
  taskDefined,
  taskException,
  taskFailed,
  taskGroupPriorityChanged,
  taskGroupResolved,
  taskGroupSealed,
  taskPending,
  taskPriorityChanged,
  taskRunning,
} from "./exchanges.ts";
import { DefinitionAndStatus, TaskStatus } from "./status.ts";
import { metadataFile } from "./task.ts";
import { taskRunFile } from "./workers.ts";

export const queueApi = service({
  name: "queue",
  version: "v1",
  title: "Queue",
  description:
    "Accepts tasks, assigns them to workers, tracks them until they are resolved, and stores their artifacts.",
  endpoints: {
    ...monitoringEndpoints,
    ...taskEndpoints,
    ...listEndpoints,
    ...groupEndpoints,
    ...historyEndpoints,
    ...priorityEndpoints,
    ...legacyEndpoints,
    ...whyEndpoints,
    ...watchdogEndpoints,
    ...claimEndpoints,
    ...taskQueueEndpoints,
    ...workerEndpoints,
    ...artifactEndpoints,
    ...graphEndpoints,
  },
  exchanges: {
    taskDefined,
    taskPending,
    taskRunning,
    artifactCreated,
    taskCompleted,
    taskFailed,
    taskException,
    taskGroupResolved,
    taskGroupSealed,
    taskPriorityChanged,
    taskGroupPriorityChanged,
  },
  schemas: [
    metadataFile,
    taskRunFile,
    named("v1/task-status.json", TaskStatus),
    named("v1/task-definition-and-status.json", DefinitionAndStatus),
    named("v1/task-credentials.json", TaskCredentials),
  ],
});
