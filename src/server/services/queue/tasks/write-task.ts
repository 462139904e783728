// Writes new tasks, those of concurrent calls in one statement.
import { isRetryable, isUniqueViolation } from "../../../core/db-errors.ts";
import { batched } from "../batched.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { insertTasks, lockRequired, type CreatedRow, type NewTask } from "./store/insert-tasks.ts";

/**
 * Returns a function that writes a task. Tasks with dependencies are batched separately: they need a transaction of two
 * statements, for which the others, most of them, should not wait.
 */
export function createTaskWriter(ctx: QueueContext): (task: NewTask) => Promise<CreatedRow> {
  const common = {
    key: (task: NewTask) => task.taskId,
    // Two processes inserted the same task concurrently: the retry finds that it exists.
    isRetryable: (err: unknown) => isRetryable(err) || isUniqueViolation(err),
  };
  const free = batched<NewTask, CreatedRow>(ctx, {
    ...common,
    name: "create-task",
    run: (tasks) => insertTasks(ctx.db, tasks, timestamp(ctx), ctx.config.groupExpiryMargin),
  });
  const dependent = batched<NewTask, CreatedRow>(ctx, {
    ...common,
    name: "create-dependent-task",
    run: (tasks) =>
      ctx.db.tx(async (tx) => {
        await lockRequired(tx, [...new Set(tasks.flatMap((t) => t.dependencies))]);
        return insertTasks(tx, tasks, timestamp(ctx), ctx.config.groupExpiryMargin);
      }),
  });
  return (task) => (task.dependencies.length > 0 ? dependent : free)(task);
}
