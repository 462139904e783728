// The use cases of the index service, for handlers and other services.
import type { IndexContext } from "./context.ts";
import { deleteTask, findTask, insertTask } from "./entries.ts";
import { findArtifactFromTask } from "./find-artifact.ts";
import { findTasksAtIndex, listNamespaces, listTasks } from "./lists.ts";

export const indexUseCases = (ctx: IndexContext) => ({
  findTask: findTask(ctx),
  insertTask: insertTask(ctx),
  deleteTask: deleteTask(ctx),
  findTasksAtIndex: findTasksAtIndex(ctx),
  listTasks: listTasks(ctx),
  listNamespaces: listNamespaces(ctx),
  findArtifactFromTask: findArtifactFromTask(ctx),
});
export type IndexUseCases = ReturnType<typeof indexUseCases>;
