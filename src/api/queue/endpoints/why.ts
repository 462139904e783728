// The method that explains the state of a task.
import { endpoint } from "../../endpoint.ts";
import { whyFile } from "../why.ts";
import { slugid } from "./params.ts";

export const whyEndpoints = {
  why: endpoint({
    method: "GET",
    path: "/task/:taskId/why",
    params: { taskId: slugid },
    name: "why",
    category: "Tasks",
    stability: "experimental",
    title: "Explain the state of a task",
    description:
      "Returns the reasons for the state of a task, most important first, each with a code, a sentence and data: its unsatisfied dependencies down to their roots, its position in the queue and how fast the queue is served, the worker that runs it, and how each run ended. Missing information is reported as `unknown`.",
    scopes: "queue:status:<taskId>",
    heavy: 1,
    reply: whyFile,
  }),
} as const;
