// Methods that return several tasks: by id, and by dependency.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { dependentsFile, statusesFile, taskIdsFile, tasksFile } from "../task-lists.ts";
import { page, slugid } from "./params.ts";

const manyIds =
  "Omits unknown ids and returns duplicates once. The reply is ordered by id, in pages. For the next page, send the same ids with the `continuationToken`.";

export const listEndpoints = {
  tasks: endpoint({
    method: "POST",
    path: "/tasks",
    query: page,
    name: "tasks",
    category: "Tasks",
    stability: "experimental",
    title: "Get the definitions of many tasks",
    description: `Like \`task\`, for up to 1,000 tasks per page. ${manyIds}`,
    scopes: allOf(forEach("taskId", "taskIds", "queue:get-task:<taskId>")),
    body: taskIdsFile,
    heavy: 1,
    reply: tasksFile,
  }),
  statuses: endpoint({
    method: "POST",
    path: "/tasks/status",
    query: page,
    name: "statuses",
    category: "Tasks",
    stability: "experimental",
    title: "Get the statuses of many tasks",
    description: `Like \`status\`, for up to 1,000 tasks per page. ${manyIds}`,
    scopes: allOf(forEach("taskId", "taskIds", "queue:status:<taskId>")),
    body: taskIdsFile,
    heavy: 1,
    reply: statusesFile,
  }),
  listDependentTasks: endpoint({
    method: "GET",
    path: "/task/:taskId/dependents",
    params: { taskId: slugid },
    query: page,
    name: "listDependentTasks",
    category: "Tasks",
    stability: "stable",
    title: "List the dependents of a task",
    description:
      "Returns the definition and status of each task that has this one among its dependencies and has not expired, ordered by task id, in pages.",
    scopes: "queue:list-dependent-tasks:<taskId>",
    heavy: 1,
    reply: dependentsFile,
  }),
} as const;
