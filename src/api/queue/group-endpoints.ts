// Acting on a whole group of tasks, and changing priorities: of a group, or of one task.
import Type from "typebox";
import { anyOf } from "../../lib/scopes/template.ts";
import { endpoint } from "../endpoint.ts";
import { exactly, named, oneOfStrings } from "../schema.ts";
import { slugid } from "./endpoints.ts";
import { statusReplyFile, taskGroupFile } from "./status.ts";
import { PRIORITIES, SchedulerId, Slugid } from "./task.ts";

const Count = Type.Integer({ minimum: 0 });
const TaskIds = Type.Array(Slugid, { uniqueItems: true });
/** Without the default of a definition: here it has to be said. */
export const GivenPriority = oneOfStrings(PRIORITIES);

const cancelReplyFile = named(
  "v1/cancel-task-group-response.json",
  exactly({ taskGroupId: Slugid, taskGroupSize: Count, cancelledCount: Count, taskIds: TaskIds }),
);
const priorityRequestFile = named(
  "v1/change-task-priority-request.json",
  exactly({ newPriority: GivenPriority }),
);
const groupPriorityReplyFile = named(
  "v1/task-group-priority-change-response.json",
  exactly({
    taskGroupId: Slugid,
    schedulerId: SchedulerId,
    newPriority: GivenPriority,
    tasksAffected: Count,
    taskIds: TaskIds,
  }),
);

const neverResolved =
  "Only for tasks that were never resolved and are before their deadline. One that runs goes on running; should it be retried, its next run has the new priority.";

export const groupEndpoints = {
  sealTaskGroup: endpoint({
    method: "POST",
    path: "/task-group/:taskGroupId/seal",
    params: { taskGroupId: slugid },
    name: "sealTaskGroup",
    category: "Task Groups",
    stability: "experimental",
    title: "Seal a task group",
    description:
      "From now on no task can be added to the group, for good: `createTask` answers 409. Safe to repeat: the time of the first call stays.",
    scopes: "queue:seal-task-group:<schedulerId>/<taskGroupId>",
    reply: taskGroupFile,
  }),
  cancelTaskGroup: endpoint({
    method: "POST",
    path: "/task-group/:taskGroupId/cancel",
    params: { taskGroupId: slugid },
    name: "cancelTaskGroup",
    category: "Task Groups",
    stability: "experimental",
    title: "Cancel a task group",
    description:
      "Cancels every task of a sealed group that is not resolved and before its deadline, as `cancelTask` does; `taskIds` are those that this call canceled. A call that failed half-way can be repeated: it goes on with the rest.",
    scopes: "queue:cancel-task-group:<schedulerId>/<taskGroupId>",
    reply: cancelReplyFile,
  }),
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
