// The methods on task graphs over HTTP.
import type { graphEndpoints } from "../../../../api/queue/endpoints/graph.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { GraphUseCases } from "./use-cases.ts";

export const graphHandlers = (queue: GraphUseCases): HandlersOf<typeof graphEndpoints> => ({
  createTasks: ({ caller, body: { tasks, ...options } }) => queue.createTasks(caller, tasks, options),
  taskGroupTimeline: ({ caller, params, query }) =>
    queue.taskGroupTimeline(caller, params.taskGroupId, query),
});
