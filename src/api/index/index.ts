// The contract of the index service: finds tasks by names that they were given, such as that of the latest build.
import { allOf, forEach } from "../../lib/scopes/template.ts";
import { endpoint } from "../endpoint.ts";
import { page } from "../queue/endpoints/params.ts";
import { monitoringEndpoints, service } from "../service.ts";
import {
  indexedTaskFile,
  insertTaskFile,
  listNamespacesFile,
  listNamespacesRequestFile,
  listTasksFile,
  tasksAtIndexFile,
} from "./schemas.ts";

const part = "[a-zA-Z0-9_!~*'()%-]+";
/** Parts separated by dots. */
export const INDEX_PATH = new RegExp(`^(?:${part}\\.)*${part}$`);
const pathOrRoot = new RegExp(`^(?:(?:${part}\\.)*${part})?$`);

const category = "Index Service";
const listNamespacesScopes = "index:list-namespaces:<namespace>";
const listTasksScopes = "index:list-tasks:<namespace>";

export const indexApi = service({
  name: "index",
  version: "v1",
  title: "Index",
  description:
    "Finds tasks by path, such as `project.nightly.linux`. A task is inserted by a call, or by its routes `index.<path>` when it completes.",
  endpoints: {
    ...monitoringEndpoints,
    findTask: endpoint({
      method: "GET",
      path: "/task/:indexPath",
      params: { indexPath: INDEX_PATH },
      name: "findTask",
      category,
      stability: "stable",
      title: "Find a task",
      description: "Returns the entry at a path. Returns 404 if there is none, or if it has expired.",
      scopes: "index:find-task:<indexPath>",
      reply: indexedTaskFile,
    }),
    findTasksAtIndex: endpoint({
      method: "POST",
      path: "/tasks/indexes",
      query: page,
      name: "findTasksAtIndex",
      category,
      stability: "experimental",
      title: "Find several tasks",
      description:
        "Returns the entries at several paths, without those that do not exist, ordered by path and in pages. Unlike `findTask` it returns expired entries until they are removed, and finds none whose path has no dot.",
      scopes: allOf(forEach("indexPath", "indexPaths", "index:find-task:<indexPath>")),
      body: tasksAtIndexFile,
      reply: listTasksFile,
    }),
    listNamespaces: endpoint({
      method: "GET",
      path: "/namespaces/:namespace",
      lastIsOptional: true,
      params: { namespace: pathOrRoot },
      query: page,
      name: "listNamespaces",
      category,
      stability: "stable",
      title: "List namespaces",
      description:
        "Returns the namespaces directly below a namespace that have not expired, ordered by name and in pages. `/namespaces` lists those of the top level.",
      scopes: listNamespacesScopes,
      reply: listNamespacesFile,
    }),
    listNamespacesByPost: endpoint({
      unpublished: true,
      method: "POST",
      path: "/namespaces/:namespace",
      lastIsOptional: true,
      params: { namespace: pathOrRoot },
      name: "listNamespacesByPost",
      category,
      stability: "deprecated",
      title: "List namespaces",
      description: "`listNamespaces` as old clients call it, with the page in the body.",
      scopes: listNamespacesScopes,
      body: listNamespacesRequestFile,
      reply: listNamespacesFile,
    }),
    listTasks: endpoint({
      method: "GET",
      path: "/tasks/:namespace",
      lastIsOptional: true,
      params: { namespace: pathOrRoot },
      query: page,
      name: "listTasks",
      category,
      stability: "stable",
      title: "List the tasks of a namespace",
      description:
        "Returns the entries directly in a namespace that have not expired, ordered by name and in pages. `/tasks` lists those of the top level.",
      scopes: listTasksScopes,
      reply: listTasksFile,
    }),
    listTasksByPost: endpoint({
      unpublished: true,
      method: "POST",
      path: "/tasks/:namespace",
      lastIsOptional: true,
      params: { namespace: pathOrRoot },
      name: "listTasksByPost",
      category,
      stability: "deprecated",
      title: "List the tasks of a namespace",
      description: "The first page of `listTasks` as old clients request it. A body is ignored.",
      scopes: listTasksScopes,
      reply: listTasksFile,
    }),
    insertTask: endpoint({
      method: "PUT",
      path: "/task/:namespace",
      params: { namespace: INDEX_PATH },
      name: "insertTask",
      category,
      stability: "stable",
      title: "Insert a task",
      description:
        "Writes the entry at a path and creates the namespaces above it. Replaces an existing entry of the same or a lower rank. An existing entry of a higher rank stays, and is returned. A path has at most 255 characters. Does not check that the task exists.",
      scopes: "index:insert-task:<namespace>",
      body: insertTaskFile,
      reply: indexedTaskFile,
    }),
    deleteTask: endpoint({
      method: "DELETE",
      path: "/task/:namespace",
      params: { namespace: INDEX_PATH },
      name: "deleteTask",
      category,
      stability: "stable",
      title: "Delete an entry",
      description: "Deletes the entry at a path, but not the task. Succeeds if there is none.",
      scopes: "index:delete-task:<namespace>",
    }),
    findArtifactFromTask: endpoint({
      method: "GET",
      path: "/task/:indexPath/artifacts/*name",
      params: { indexPath: INDEX_PATH, name: /^[\x20-\x7e]+$/ },
      name: "findArtifactFromTask",
      category,
      stability: "stable",
      title: "Get an artifact of an indexed task",
      description:
        "Redirects (303) to an artifact of the latest run of the task at a path: to its content if everybody may read it, otherwise to a signed URL of the queue that is valid for 15 minutes. The body has the URL as JSON.",
      scopes: "queue:get-artifact:<name>",
      reply: "blob",
    }),
  },
  exchanges: {},
});
