// The method that explains why a task is where it is.
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
    title: "Why is the task where it is?",
    description:
      "The reasons for the state of a task, the most important first, each with a code, a sentence and its data: the dependencies that are not met, followed to their roots; the place in the queue and how fast that is served; who runs it; how each run ended. What is not known is said to be `unknown`.",
    scopes: "queue:status:<taskId>",
    reply: whyFile,
  }),
} as const;
