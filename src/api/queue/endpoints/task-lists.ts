// Methods that read many tasks: those that the caller names, and those that depend on one.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { dependentsFile, statusesFile, taskIdsFile, tasksFile } from "../task-lists.ts";
import { page, slugid } from "./params.ts";

const manyIds =
  "Ids that nobody knows are left out, one that is given twice is answered once; the answer is in order of ids, a page at a time. For the next page send the same ids with the `continuationToken`.";

export const listEndpoints = {
  tasks: endpoint({
    method: "POST",
    path: "/tasks",
    query: page,
    name: "tasks",
    category: "Tasks",
    stability: "experimental",
    title: "Get the definitions of many tasks",
    description: `As \`task\`, for up to 1,000 tasks a page. ${manyIds}`,
    scopes: allOf(forEach("taskId", "taskIds", "queue:get-task:<taskId>")),
    body: taskIdsFile,
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
    description: `As \`status\`, for up to 1,000 tasks a page. ${manyIds}`,
    scopes: allOf(forEach("taskId", "taskIds", "queue:status:<taskId>")),
    body: taskIdsFile,
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
    title: "List the tasks that depend on a task",
    description:
      "Definition and status of each task that names this one among its dependencies and has not expired, in order of task ids, a page at a time.",
    scopes: "queue:list-dependent-tasks:<taskId>",
    reply: dependentsFile,
  }),
} as const;
