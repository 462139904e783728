// Methods that workers call: to claim runs, to keep them, and to resolve them.
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
      "Claims up to `tasks` pending tasks of a queue, the highest priority first, then the oldest. Where there are none it waits for some, up to 20 seconds, and may answer with none; so it does for a worker in quarantine.",
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
    title: "Claim a given task",
    description:
      "Claims one run by its id. Workers should use `claimWork`, which keeps the order of the queue. A worker in quarantine is answered `{}`.",
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
    title: "Keep a claim",
    description: "Moves `takenUntil` on, and gives new credentials that last as long.",
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
    title: "Report a run completed",
    description:
      "The task did what it should. Dependents that waited only for it are pending when this returns.",
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
    title: "Report a run failed",
    description: "The task ran and failed by its own fault. It is not tried again.",
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
    title: "Report a run ended without a verdict",
    description:
      "The worker could not bring the run to an end. For `worker-shutdown` and `intermittent-task` the task is tried again while it has retries left.",
    scopes: "queue:resolve-task:<taskId>/<runId>",
    body: exceptionRequestFile,
    reply: statusReplyFile,
  }),
} as const;
