// Earlier tasks and groups, by the time of their creation.
import type { QueueContext } from "../context.ts";
import { listTaskGroups } from "./list-task-groups.ts";
import { listTasks } from "./list-tasks.ts";

export type HistoryUseCases = ReturnType<typeof historyUseCases>;

export const historyUseCases = (ctx: QueueContext) => ({
  listTasks: listTasks(ctx),
  listTaskGroups: listTaskGroups(ctx),
});
