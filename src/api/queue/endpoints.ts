// The queue's methods on tasks and groups, and those that workers call.
import { allOf, anyOf, forEach } from "../../lib/scopes/template.ts";
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import { endpoint } from "../endpoint.ts";
import {
  claimTaskReplyFile,
  claimTaskRequestFile,
  claimWorkReplyFile,
  claimWorkRequestFile,
  exceptionRequestFile,
  reclaimReplyFile,
} from "./claim.ts";
import { statusReplyFile, taskGroupFile, taskGroupListFile } from "./status.ts";
import { createTaskRequestFile, TASK_QUEUE_ID_PATTERN, taskFile } from "./task.ts";

export const slugid = new RegExp(SLUGID_PATTERN);
// As the compatible system has it, without its '[1-9]*' in front: that changes nothing but took 0.3 s for 8,000 digits and an x.
export const runId = /^[0-9]+$/;
export const page = { continuationToken: /./, limit: /^[0-9]+$/ } as const;

/** Who may act on a task by hand: by its group, by its project, or in the way of long ago. */
const onTask = (verb: "schedule" | "rerun" | "cancel") =>
  anyOf(
    `queue:${verb}-task:<schedulerId>/<taskGroupId>/<taskId>`,
    `queue:${verb}-task-in-project:<projectId>`,
    allOf(`queue:${verb}-task`, "assume:scheduler-id:<schedulerId>/<taskGroupId>"),
  );

export const taskEndpoints = {
  task: endpoint({
    method: "GET",
    path: "/task/:taskId",
    params: { taskId: slugid },
    name: "task",
    category: "Tasks",
    stability: "stable",
    title: "Get a task's definition",
    description: "The definition as it was accepted, defaults filled in. What happened since is in `status`.",
    scopes: "queue:get-task:<taskId>",
    reply: taskFile,
  }),
  status: endpoint({
    method: "GET",
    path: "/task/:taskId/status",
    params: { taskId: slugid },
    name: "status",
    category: "Tasks",
    stability: "stable",
    title: "Get a task's status",
    description: "State, runs and retries left.",
    scopes: "queue:status:<taskId>",
    reply: statusReplyFile,
  }),
  listTaskGroup: endpoint({
    method: "GET",
    path: "/task-group/:taskGroupId/list",
    params: { taskGroupId: slugid },
    query: page,
    name: "listTaskGroup",
    category: "Task Groups",
    stability: "stable",
    title: "List the tasks of a group",
    description: "Definition and status of each task, in order of task ids, a page at a time.",
    scopes: "queue:list-task-group:<taskGroupId>",
    reply: taskGroupListFile,
  }),
  getTaskGroup: endpoint({
    method: "GET",
    path: "/task-group/:taskGroupId",
    params: { taskGroupId: slugid },
    name: "getTaskGroup",
    category: "Task Groups",
    stability: "stable",
    title: "Get a task group",
    description: "The group's owner and expiry, and since when it is sealed, if it is.",
    scopes: "queue:list-task-group:<taskGroupId>",
    reply: taskGroupFile,
  }),
  createTask: endpoint({
    method: "PUT",
    path: "/task/:taskId",
    params: { taskId: slugid },
    name: "createTask",
    category: "Tasks",
    stability: "stable",
    title: "Create a task",
    description:
      "Creates a task under an id that the caller chose. Safe to repeat: the same id with the same definition is the same task; with another definition it is a conflict. A task without dependencies is pending at once, one with dependencies as soon as they are resolved as `requires` says.",
    scopes: allOf(
      forEach("scope", "scopes", "<scope>"),
      forEach("route", "routes", "queue:route:<route>"),
      "queue:create-task:project:<projectId>",
      "queue:scheduler-id:<schedulerId>",
      anyOf(forEach("priority", "priorities", "queue:create-task:<priority>:<provisionerId>/<workerType>")),
    ),
    body: createTaskRequestFile,
    reply: statusReplyFile,
  }),
  scheduleTask: endpoint({
    method: "POST",
    path: "/task/:taskId/schedule",
    params: { taskId: slugid },
    name: "scheduleTask",
    category: "Tasks",
    stability: "stable",
    title: "Schedule a task",
    description:
      "Makes an unscheduled task pending, whatever it depends on. No effect on a task that has runs.",
    scopes: onTask("schedule"),
    reply: statusReplyFile,
  }),
  rerunTask: endpoint({
    method: "POST",
    path: "/task/:taskId/rerun",
    params: { taskId: slugid },
    name: "rerunTask",
    category: "Tasks",
    stability: "stable",
    title: "Run a task again",
    description: "Adds a run to a task that is resolved or unscheduled, and gives it its retries back.",
    scopes: onTask("rerun"),
    reply: statusReplyFile,
  }),
  cancelTask: endpoint({
    method: "POST",
    path: "/task/:taskId/cancel",
    params: { taskId: slugid },
    name: "cancelTask",
    category: "Tasks",
    stability: "stable",
    title: "Cancel a task",
    description:
      "Resolves a task that is not resolved yet as `exception`, `canceled`. A worker that runs it is told when it next asks.",
    scopes: onTask("cancel"),
    reply: statusReplyFile,
  }),
} as const;

const run = { taskId: slugid, runId } as const;

export const workerEndpoints = {
  claimWork: endpoint({
    method: "POST",
    path: "/claim-work/*taskQueueId",
    params: { taskQueueId: new RegExp(TASK_QUEUE_ID_PATTERN) },
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
    params: run,
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
    params: run,
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
    params: run,
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
    params: run,
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
    params: run,
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
