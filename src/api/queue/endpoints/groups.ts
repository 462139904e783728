// Methods on task groups.
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
    description: "Returns the definition and status of each task of the group, ordered by task id, in pages.",
    scopes: "queue:list-task-group:<taskGroupId>",
    heavy: 1,
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
    description: "Returns the scheduler and expiry of a group, and when it was sealed, if it is.",
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
      "Prevents further tasks from being added to the group, permanently: `createTask` then returns 409. Idempotent: the time of the first call is kept.",
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
      "Cancels all unresolved tasks of a sealed group whose deadline has not passed, as `cancelTask` does. `taskIds` lists the tasks that this call canceled. If the call fails halfway, repeat it to cancel the remaining tasks.",
    scopes: "queue:cancel-task-group:<schedulerId>/<taskGroupId>",
    reply: cancelTaskGroupReplyFile,
  }),
} as const;
