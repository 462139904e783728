// The queue's contract.
import { monitoringEndpoints, service } from "../service.ts";
import { artifactEndpoints } from "./artifact-endpoints.ts";
import { taskEndpoints, workerEndpoints } from "./endpoints.ts";
import {
  artifactCreated,
  taskCompleted,
  taskDefined,
  taskException,
  taskFailed,
  taskGroupResolved,
  taskPending,
  taskRunning,
} from "./exchanges.ts";
import { metadataFile } from "./task.ts";

export const queueApi = service({
  name: "queue",
  version: "v1",
  title: "Queue",
  description:
    "Accepts tasks, hands them to workers, follows them to their resolution and keeps what they leave behind.",
  endpoints: {
    ...monitoringEndpoints,
    ...taskEndpoints,
    ...workerEndpoints,
    ...artifactEndpoints,
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
  },
  schemas: [metadataFile],
});
