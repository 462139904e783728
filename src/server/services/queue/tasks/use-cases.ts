// Tasks by their ids: creating, changing and reading them.
import type { QueueContext } from "../context.ts";
import { cancelTask, rerunTask, scheduleTask } from "./change-task.ts";
import { createTask, defineTask } from "./create-task.ts";
import { listDependentTasks } from "./list-dependents.ts";
import { statuses, tasks } from "./read-many.ts";
import { status, task } from "./read-task.ts";

export type TaskUseCases = ReturnType<typeof taskUseCases>;

export function taskUseCases(ctx: QueueContext) {
  const create = createTask(ctx);
  return {
    task: task(ctx),
    status: status(ctx),
    tasks: tasks(ctx),
    statuses: statuses(ctx),
    listDependentTasks: listDependentTasks(ctx),
    createTask: create,
    defineTask: defineTask(create),
    scheduleTask: scheduleTask(ctx),
    rerunTask: rerunTask(ctx),
    cancelTask: cancelTask(ctx),
  };
}
