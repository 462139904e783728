// listTasks: tasks of any group and queue, newest first.
import { historyEndpoints } from "../../../../api/queue/endpoints/history.ts";
import type { ListedTask } from "../../../../api/queue/history.ts";
import { TASK_STATES } from "../../../../api/queue/status.ts";
import type { Caller } from "../../../core/caller.ts";
import type { QueueContext } from "../context.ts";
import { newestFirst, type ListQuery } from "./newest-first.ts";
import { readTasksByCreation, type TaskRow } from "./store.ts";

export interface TaskQuery extends ListQuery {
  readonly state?: string;
  readonly taskQueueId?: string;
  readonly projectId?: string;
  readonly schedulerId?: string;
}

export const listTasks = (ctx: QueueContext) => async (caller: Caller, query: TaskQuery) => {
  const { state, taskQueueId, projectId, schedulerId } = query;
  caller.authorize(historyEndpoints.listTasks, { projectId: projectId ?? "*" });
  const filter = { states: state?.split(",") ?? TASK_STATES, taskQueueId, projectId, schedulerId };
  const isFiltered = [state, taskQueueId, projectId, schedulerId].some((value) => value !== undefined);
  const { rows, more } = await newestFirst(query, isFiltered, (range, count, room) =>
    readTasksByCreation(ctx.db, range, filter, count, room),
  );
  return { tasks: rows.map(listedTask), ...more };
};

const listedTask = (row: Omit<TaskRow, "name"> & { readonly name: string }): ListedTask => ({
  taskId: row.id,
  taskGroupId: row.task_group_id,
  taskQueueId: row.task_queue_id,
  schedulerId: row.scheduler_id,
  projectId: row.project_id,
  name: row.name,
  state: row.state,
  created: row.created.toISOString(),
  ...(row.started && { started: row.started.toISOString() }),
  ...(row.resolved && { resolved: row.resolved.toISOString() }),
  ...(row.reason_resolved && { reasonResolved: row.reason_resolved }),
});
