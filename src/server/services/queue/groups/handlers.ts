// The methods on task groups over HTTP.
import type { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { GroupUseCases } from "./use-cases.ts";

export const groupHandlers = (queue: GroupUseCases): HandlersOf<typeof groupEndpoints> => ({
  getTaskGroup: ({ caller, params }) => queue.getTaskGroup(caller, params.taskGroupId),
  listTaskGroup: ({ caller, params, query }) => queue.listTaskGroup(caller, params.taskGroupId, query),
  sealTaskGroup: ({ caller, params }) => queue.sealTaskGroup(caller, params.taskGroupId),
  cancelTaskGroup: ({ caller, params }) => queue.cancelTaskGroup(caller, params.taskGroupId),
});
