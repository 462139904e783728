// Methods on a whole group of tasks.
import { endpoint } from "../../endpoint.ts";
import { cancelTaskGroupReplyFile, taskGroupFile, taskGroupListFile } from "../groups.ts";
import { page, slugid } from "./params.ts";

export const groupEndpoints = {
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
    reply: cancelTaskGroupReplyFile,
  }),
} as const;
