// Methods on one task.
import { allOf, anyOf } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { createTaskScopes } from "../create-task-scopes.ts";
import { statusReplyFile } from "../status.ts";
import { createTaskRequestFile, taskFile } from "../task.ts";
import { slugid } from "./params.ts";

/** The scopes for manual operations on a task: by its group, by its project, or in their oldest form. */
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
    description:
      "Returns the definition with the defaults filled in. It changes only with the task's priority; see `status` for the progress.",
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
    description: "Returns the state, the runs and the remaining retries of a task.",
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
      "Creates a task with an id that the caller chooses. Idempotent: repeating the call with the same definition returns the same task. A different definition for the same id is a conflict (409). A task without dependencies is pending immediately; one with dependencies becomes pending when they are resolved as required by `requires`.",
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
      "Makes an unscheduled task pending, regardless of its dependencies. Has no effect on a task that has runs.",
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
    title: "Rerun a task",
    description: "Adds a run to a resolved or unscheduled task and restores its retries.",
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
      "Resolves an unresolved task as `exception` with the reason `canceled`. A worker that is running it learns of this from the event `taskException`, or at its next reclaim.",
    scopes: onTask("cancel"),
    reply: statusReplyFile,
  }),
} as const;
