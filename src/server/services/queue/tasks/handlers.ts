// The methods on tasks over HTTP.
import type { listEndpoints } from "../../../../api/queue/endpoints/task-lists.ts";
import type { legacyEndpoints } from "../../../../api/queue/endpoints/legacy.ts";
import type { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import { jsonObject } from "../../../core/json.ts";
import type { TaskUseCases } from "./use-cases.ts";

export const taskHandlers = (
  queue: TaskUseCases,
): HandlersOf<typeof taskEndpoints & typeof listEndpoints & typeof legacyEndpoints> => ({
  task: ({ caller, params }) => queue.task(caller, params.taskId),
  status: async ({ caller, params }) => jsonObject({ status: await queue.status(caller, params.taskId) }),
  tasks: ({ caller, body, query }) => queue.tasks(caller, body.taskIds ?? [], query),
  statuses: ({ caller, body, query }) => queue.statuses(caller, body.taskIds ?? [], query),
  listDependentTasks: ({ caller, params, query }) => queue.listDependentTasks(caller, params.taskId, query),
  createTask: async ({ caller, params, body }) =>
    jsonObject({ status: await queue.createTask(caller, params.taskId, body) }),
  defineTask: async ({ caller, params, body }) =>
    jsonObject({ status: await queue.defineTask(caller, params.taskId, body) }),
  scheduleTask: async ({ caller, params }) =>
    jsonObject({ status: await queue.scheduleTask(caller, params.taskId) }),
  rerunTask: async ({ caller, params }) =>
    jsonObject({ status: await queue.rerunTask(caller, params.taskId) }),
  cancelTask: async ({ caller, params }) =>
    jsonObject({ status: await queue.cancelTask(caller, params.taskId) }),
});
