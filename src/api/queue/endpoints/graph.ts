// Methods on whole graphs. Ours, beyond the compatible system.
import { endpoint } from "../../endpoint.ts";
import { createTasksScopes } from "../create-task-scopes.ts";
import {
  CREATE_TASKS_BODY_LIMIT,
  createTasksReplyFile,
  createTasksRequestFile,
  timelineFile,
} from "../graph.ts";
import { page, slugid } from "./params.ts";

export const graphEndpoints = {
  createTasks: endpoint({
    method: "POST",
    path: "/tasks/create",
    name: "createTasks",
    category: "Tasks",
    stability: "experimental",
    title: "Create many tasks",
    description:
      "Creates up to 10,000 tasks with their dependencies: all of them, or none. Their order is free, and they may depend on each other in any order that is no circle. " +
      "Otherwise each is created as `createTask` would, and repeating the call is safe in the same way, also after the group was sealed.\n\n" +
      "A call that is refused names everything that is wrong with it at once: the reply's `details.faults` is a list of `{path, code, message}`, such as `tasks[17].task.deadline`, and `details.more` counts those that did not fit. " +
      "With `dryRun` nothing is written: the reply tells what would be.\n\n" +
      "The scopes are those of all tasks together. Each of `queues` is written `<priority>:<provisionerId>/<workerType>`: for each task queue one of them is needed, of the highest priority that the call's tasks for it have, or of any higher one.",
    scopes: createTasksScopes,
    body: createTasksRequestFile,
    bodyLimit: CREATE_TASKS_BODY_LIMIT,
    longList: "tasks",
    reply: createTasksReplyFile,
  }),
  taskGroupTimeline: endpoint({
    method: "GET",
    path: "/task-group/:taskGroupId/timeline",
    params: { taskGroupId: slugid },
    query: page,
    name: "taskGroupTimeline",
    category: "Task Groups",
    stability: "experimental",
    title: "Show where the time of a group went",
    description:
      "For each task how long it waited for its dependencies, for a worker, and ran; for the group its critical path. Tasks are in order of their ids, a page at a time.",
    scopes: "queue:list-task-group:<taskGroupId>",
    reply: timelineFile,
  }),
} as const;
