// A method of long ago that old clients still call.
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
      "As `createTask` with the task among its own dependencies, so that it stays unscheduled until `scheduleTask`. Use that instead, or dependencies on other tasks.",
    scopes,
    body,
    reply,
  }),
} as const;
