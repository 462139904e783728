// A method that only old clients call.
import { endpoint } from "../../endpoint.ts";
import { taskEndpoints } from "./tasks.ts";

const { params, scopes, body, reply } = taskEndpoints.createTask;

export const legacyEndpoints = {
  defineTask: endpoint({
    method: "POST",
    path: "/task/:taskId/define",
    params,
    name: "defineTask",
    category: "Tasks",
    stability: "deprecated",
    title: "Define a task without scheduling it",
    description:
      "Like `createTask` for a task that depends on itself, and therefore stays unscheduled until `scheduleTask` is called. Use `createTask` with a dependency on the task itself or on other tasks instead.",
    scopes,
    body,
    reply,
  }),
} as const;
