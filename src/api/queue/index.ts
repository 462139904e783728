// The queue's contract.
import { named } from "../schema.ts";
import { monitoringEndpoints, service } from "../service.ts";
import { artifactEndpoints } from "./artifact-endpoints.ts";
import { TaskCredentials } from "./claim.ts";
import { legacyEndpoints } from "./legacy-endpoints.ts";
import { taskEndpoints, workerEndpoints } from "./endpoints.ts";
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
import { groupEndpoints } from "./group-endpoints.ts";
import { listEndpoints } from "./list-endpoints.ts";
import { graphEndpoints } from "./graph.ts";
import { DefinitionAndStatus, TaskStatus } from "./status.ts";
import { metadataFile } from "./task.ts";
import { watchdogEndpoints } from "./watchdog.ts";
import { whyEndpoints } from "./why.ts";
import { workerMetadataEndpoints } from "./worker-metadata-endpoints.ts";
import { taskRunFile } from "./workers.ts";

export const queueApi = service({
  name: "queue",
  version: "v1",
  title: "Queue",
  description:
    "Accepts tasks, hands them to workers, follows them to their resolution and keeps what they leave behind.",
  endpoints: {
    ...monitoringEndpoints,
    ...taskEndpoints,
    ...listEndpoints,
    ...groupEndpoints,
    ...legacyEndpoints,
    ...whyEndpoints,
    ...watchdogEndpoints,
    ...workerEndpoints,
    ...workerMetadataEndpoints,
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
