// Methods that change the priority of a task or of all tasks of a group.
import { anyOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { groupPriorityReplyFile, priorityRequestFile } from "../priorities.ts";
import { statusReplyFile } from "../status.ts";
import { slugid } from "./params.ts";

const neverResolved =
  "Applies only to tasks that were never resolved and whose deadline has not passed. A running task continues to run; if it is retried, its next run has the new priority.";

export const priorityEndpoints = {
  changeTaskPriority: endpoint({
    method: "POST",
    path: "/task/:taskId/priority",
    params: { taskId: slugid },
    name: "changeTaskPriority",
    category: "Tasks",
    stability: "experimental",
    title: "Change a task's priority",
    description: `Takes effect immediately, also for a pending task. ${neverResolved} The definition has the new priority too, so repeating \`createTask\` with the old one is a conflict.`,
    scopes: anyOf("queue:change-task-priority:<taskId>", "queue:change-task-priority-in-queue:<taskQueueId>"),
    body: priorityRequestFile,
    reply: statusReplyFile,
  }),
  changeTaskGroupPriority: endpoint({
    method: "POST",
    path: "/task-group/:taskGroupId/priority",
    params: { taskGroupId: slugid },
    name: "changeTaskGroupPriority",
    category: "Task Groups",
    stability: "experimental",
    title: "Change the priority of a task group",
    description: `Like \`changeTaskPriority\`, for all tasks of the group with a different priority. \`taskIds\` lists the tasks that this call changed. ${neverResolved}`,
    scopes: "queue:change-task-group-priority:<schedulerId>/<taskGroupId>",
    body: priorityRequestFile,
    reply: groupPriorityReplyFile,
  }),
} as const;
