// The methods that change priorities over HTTP.
import type { priorityEndpoints } from "../../../../api/queue/endpoints/priorities.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { jsonObject } from "../../../core/json.ts";
import type { PriorityUseCases } from "./use-cases.ts";

export const priorityHandlers = (queue: PriorityUseCases): HandlersOf<typeof priorityEndpoints> => ({
  changeTaskPriority: async ({ caller, params, body }) =>
    jsonObject({ status: await queue.changeTaskPriority(caller, params.taskId, body.newPriority) }),
  changeTaskGroupPriority: ({ caller, params, body }) =>
    queue.changeTaskGroupPriority(caller, params.taskGroupId, body.newPriority),
});
