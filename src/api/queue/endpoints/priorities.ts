// Methods that change the priority of one task, or of all tasks of a group.
import { anyOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { groupPriorityReplyFile, priorityRequestFile } from "../priorities.ts";
import { statusReplyFile } from "../status.ts";
import { slugid } from "./params.ts";

const neverResolved =
  "Only for tasks that were never resolved and are before their deadline. One that runs goes on running; should it be retried, its next run has the new priority.";

export const priorityEndpoints = {
  changeTaskPriority: endpoint({
    method: "POST",
    path: "/task/:taskId/priority",
    params: { taskId: slugid },
    name: "changeTaskPriority",
    category: "Tasks",
    stability: "experimental",
    title: "Change a task's priority",
    description: `Takes effect at once, also for a task that waits for a worker. ${neverResolved} The definition says the new priority too, so repeating \`createTask\` with the old one is a conflict.`,
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
    title: "Change the priority of a group's tasks",
    description: `As \`changeTaskPriority\`, for all tasks of the group that have another priority; \`taskIds\` are those that this call changed. ${neverResolved}`,
    scopes: "queue:change-task-group-priority:<schedulerId>/<taskGroupId>",
    body: priorityRequestFile,
    reply: groupPriorityReplyFile,
  }),
} as const;
