// The methods of the index service over HTTP.
import type { indexApi } from "../../../api/index/index.ts";
import { callersRootUrl } from "../../core/http/callers-root-url.ts";
import { Reply } from "../../core/http/replies.ts";
import type { ServiceHandlers } from "../../core/service.ts";
import type { IndexUseCases } from "./use-cases.ts";

export const indexHandlers = (index: IndexUseCases): ServiceHandlers<typeof indexApi> => ({
  findTask: ({ caller, params }) => index.findTask(caller, params.indexPath),
  findTasksAtIndex: ({ caller, body, query }) => index.findTasksAtIndex(caller, body.indexes ?? [], query),
  listNamespaces: ({ caller, params, query }) => index.listNamespaces(caller, params.namespace, query),
  listNamespacesByPost: ({ caller, params, body }) => index.listNamespaces(caller, params.namespace, body),
  listTasks: ({ caller, params, query }) => index.listTasks(caller, params.namespace, query),
  listTasksByPost: ({ caller, params }) => index.listTasks(caller, params.namespace, {}),
  insertTask: ({ caller, params, body }) => index.insertTask(caller, params.namespace, body),
  deleteTask: async ({ caller, params }) => {
    await index.deleteTask(caller, params.namespace);
    // The contract declares no reply. Taskcluster sends an empty object.
    return new Reply(200, {});
  },
  findArtifactFromTask: async ({ caller, params: { indexPath, name }, request }) => {
    const location = await index.findArtifactFromTask(caller, indexPath, name, () => callersRootUrl(request));
    return new Reply(303, { url: location }, { headers: { location } });
  },
});
