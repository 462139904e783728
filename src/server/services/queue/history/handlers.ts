// The lists of tasks and groups over HTTP.
import type { historyEndpoints } from "../../../../api/queue/endpoints/history.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { HistoryUseCases } from "./use-cases.ts";

export const historyHandlers = (queue: HistoryUseCases): HandlersOf<typeof historyEndpoints> => ({
  listTasks: ({ caller, query }) => queue.listTasks(caller, query),
  listTaskGroups: ({ caller, query }) => queue.listTaskGroups(caller, query),
});
