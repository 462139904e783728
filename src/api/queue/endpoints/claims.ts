// Methods for workers, which claim, reclaim and resolve runs.
import { allOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import {
  claimTaskReplyFile,
  claimTaskRequestFile,
  claimWorkReplyFile,
  claimWorkRequestFile,
  exceptionRequestFile,
  reclaimReplyFile,
} from "../claim.ts";
import { statusReplyFile } from "../status.ts";
import { runId, slugid, taskQueueId } from "./params.ts";

const ofRun = { taskId: slugid, runId } as const;

export const claimEndpoints = {
  claimWork: endpoint({
    method: "POST",
    path: "/claim-work/*taskQueueId",
    params: { taskQueueId },
    name: "claimWork",
    category: "Worker Interface",
    stability: "stable",
    title: "Claim work",
    description:
      "Claims up to `tasks` pending tasks of a queue, ordered by priority and then by age. If there are none, the call waits up to 20 seconds for tasks and may return an empty list. A quarantined worker always gets an empty list.",
    scopes: allOf("queue:claim-work:<taskQueueId>", "queue:worker-id:<workerGroup>/<workerId>"),
    body: claimWorkRequestFile,
    reply: claimWorkReplyFile,
  }),
  claimTask: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/claim",
    params: ofRun,
    name: "claimTask",
    category: "Worker Interface",
    stability: "deprecated",
    title: "Claim a specific task",
    description:
      "Claims a run by its id. Workers should use `claimWork`, which respects the order of the queue. Returns `{}` to a quarantined worker.",
    scopes: allOf(
      "queue:claim-task:<provisionerId>/<workerType>",
      "queue:worker-id:<workerGroup>/<workerId>",
    ),
    body: claimTaskRequestFile,
    reply: claimTaskReplyFile,
  }),
  reclaimTask: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/reclaim",
    params: ofRun,
    name: "reclaimTask",
    category: "Worker Interface",
    stability: "stable",
    title: "Reclaim a run",
    description:
      "Extends the claim and returns the new `takenUntil`, with new credentials that are valid until then.",
    scopes: "queue:reclaim-task:<taskId>/<runId>",
    reply: reclaimReplyFile,
  }),
  reportCompleted: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/completed",
    params: ofRun,
    name: "reportCompleted",
    category: "Worker Interface",
    stability: "stable",
    title: "Report a run as completed",
    description:
      "Reports that the task succeeded. Dependents that waited only for this task are pending when the call returns.",
    scopes: "queue:resolve-task:<taskId>/<runId>",
    reply: statusReplyFile,
  }),
  reportFailed: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/failed",
    params: ofRun,
    name: "reportFailed",
    category: "Worker Interface",
    stability: "stable",
    title: "Report a run as failed",
    description: "Reports that the task ran and failed. It is not retried automatically.",
    scopes: "queue:resolve-task:<taskId>/<runId>",
    reply: statusReplyFile,
  }),
  reportException: endpoint({
    method: "POST",
    path: "/task/:taskId/runs/:runId/exception",
    params: ofRun,
    name: "reportException",
    category: "Worker Interface",
    stability: "stable",
    title: "Report an exception of a run",
    description:
      "Reports that the worker could not finish the run. With the reasons `worker-shutdown` and `intermittent-task`, the task is retried if it has retries left.",
    scopes: "queue:resolve-task:<taskId>/<runId>",
    body: exceptionRequestFile,
    reply: statusReplyFile,
  }),
} as const;
