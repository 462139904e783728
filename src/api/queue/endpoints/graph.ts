// Methods on task graphs, which Taskcluster does not have.
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
      "Creates up to 10,000 tasks with their dependencies: either all of them or none. The tasks may be listed in any order and may depend on each other, but not in a cycle. " +
      "Each task is created as by `createTask`. The call is idempotent too, even after the group was sealed.\n\n" +
      "If the call is refused, the reply lists everything that is wrong with it: `details.faults` is a list of `{path, code, message}`, with paths such as `tasks[17].task.deadline`, and `details.more` is the number of faults that did not fit. " +
      "With `dryRun` nothing is written, and the reply contains what would have been created.\n\n" +
      "The caller needs the scopes for all tasks together. Each element of `queues` has the form `<priority>:<provisionerId>/<workerType>`. For each task queue one scope is required: that of the highest priority among its tasks in the call, or of any higher priority.",
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
    title: "Get the timeline of a task group",
    description:
      "Returns how long each task waited for its dependencies, waited for a worker and ran, and the critical path of the group. Tasks are ordered by id, in pages.",
    scopes: "queue:list-task-group:<taskGroupId>",
    heavy: 2,
    reply: timelineFile,
  }),
} as const;
