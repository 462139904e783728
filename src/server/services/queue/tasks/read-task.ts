// task and status: the definition of a task, and what has happened to it.
import { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { TaskDefinition } from "../../../../api/queue/task.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Json } from "../../../core/json.ts";
import { batched } from "../batched.ts";
import type { QueueContext } from "../context.ts";
import { noTask } from "./find-task.ts";
import { readDefinitions, readTasks } from "./store/read-tasks.ts";

/** Batches concurrent reads of single rows: the statement is most of the cost of one. */
function readBatched<R extends { task_id: string }>(
  ctx: QueueContext,
  name: string,
  read: (taskIds: readonly string[]) => Promise<R[]>,
): (taskId: string) => Promise<R> {
  const readOne = batched<string, R | null>(ctx, {
    name,
    concurrency: 4,
    run: async (taskIds) => {
      const rows = new Map((await read(taskIds)).map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => rows.get(taskId) ?? null);
    },
  });
  return async (taskId) => {
    const row = await readOne(taskId);
    if (!row) throw noTask(taskId);
    return row;
  };
}

export function task(ctx: QueueContext) {
  const read = readBatched(ctx, "read-definition", (ids) => readDefinitions(ctx.db, ids));
  return async (caller: Caller, taskId: string): Promise<Json<TaskDefinition>> => {
    caller.authorize(taskEndpoints.task, { taskId });
    return (await read(taskId)).definition;
  };
}

export function status(ctx: QueueContext) {
  const read = readBatched(ctx, "read-status", (ids) => readTasks(ctx.db, ids));
  return async (caller: Caller, taskId: string): Promise<Json<TaskStatus>> => {
    caller.authorize(taskEndpoints.status, { taskId });
    return (await read(taskId)).status;
  };
}
