// Methods on one task.
import { allOf, anyOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { createTaskScopes } from "../create-task-scopes.ts";
import { statusReplyFile } from "../status.ts";
import { createTaskRequestFile, taskFile } from "../task.ts";
import { slugid } from "./params.ts";

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
    scopes: createTaskScopes,
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
