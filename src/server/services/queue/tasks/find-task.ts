// Reading what a call is about, with the refusals that several methods share.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { fillScope } from "../../../../lib/scopes/render.ts";
import type { Queryable } from "../../../core/db.ts";
import type { QueueContext } from "../context.ts";
import { readGroup, type GroupRow } from "../groups/store/read-group.ts";
import { readTasks, type TaskRow } from "./store/read-tasks.ts";

export const noTask = (taskId: string): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Task ${taskId} does not exist: it was never created here, or has expired. Check the id and the root URL.`,
  );

/** Reads a task; throws `ResourceNotFound`. */
export async function requireTask(db: Queryable, taskId: string): Promise<TaskRow> {
  const [task] = await readTasks(db, [taskId]);
  if (!task) throw noTask(taskId);
  return task;
}

/** No configuration allows more runs. PostgreSQL would fail on far larger ids. */
const MAX_RUNS = 1000;

/** Refuses a run id that no task can have, without reading the task. */
export function checkRunId(taskId: string, runId: number | string): void {
  if (!(Number(runId) < MAX_RUNS))
    throw new ApiError(
      "ResourceNotFound",
      `Task ${taskId} has no run ${runId}: no task has that many. Use the id of one of its runs; the first is 0.`,
    );
}

/** Reads the run id of a path. Checked as text, since a number of twenty digits would lose some in the message. */
export function runIdOf({ taskId, runId }: { readonly taskId: string; readonly runId: string }): number {
  checkRunId(taskId, runId);
  return Number(runId);
}

/** Refuses a run that the task does not have. */
export function requireRun(task: TaskRow, runId: number): void {
  if (runId >= task.run_count)
    throw new ApiError(
      "ResourceNotFound",
      `Task ${task.task_id} has no run ${runId}: ${task.run_count === 0 ? "it has none" : `its latest is ${task.run_count - 1}`}. The status of the task lists them.`,
    );
}

/** After its deadline a task can only be resolved; the statements that change it check the deadline too. */
export function refuseAfterDeadline(ctx: Pick<QueueContext, "clock">, task: TaskRow): void {
  if (task.deadline.getTime() <= ctx.clock.now())
    throw new ApiError(
      "RequestConflict",
      `The deadline of task ${task.task_id} (${task.deadline.toISOString()}) has passed, so it can change no more. Create a new task.`,
    );
}

/** How a caller is authorized for methods whose scopes contain values of a task. The request contains `known` as well. */
export const taskFinding = <P>(
  { db }: Pick<QueueContext, "db">,
  taskId: string,
  params: (task: TaskRow) => P,
  known: Readonly<Record<string, string>> = {},
) => ({
  known: { taskId, ...known },
  read: () => requireTask(db, taskId),
  params,
  readableWith: fillScope(taskEndpoints.status.scopes, { taskId }),
});

/** How a caller is authorized for methods whose scopes contain the scheduler of a group. */
export const groupFinding = ({ db }: Pick<QueueContext, "db">, taskGroupId: string) => ({
  known: { taskGroupId },
  read: () => requireGroup(db, taskGroupId),
  params: ({ scheduler_id: schedulerId }: GroupRow) => ({ taskGroupId, schedulerId }),
  readableWith: fillScope(groupEndpoints.getTaskGroup.scopes, { taskGroupId }),
});

/** Reads a group; throws `ResourceNotFound`. */
export async function requireGroup(db: Queryable, taskGroupId: string): Promise<GroupRow> {
  const group = await readGroup(db, taskGroupId);
  if (!group)
    throw new ApiError(
      "ResourceNotFound",
      `Task group ${taskGroupId} does not exist: no task was created in it, or it has expired. Check the id and the root URL.`,
    );
  return group;
}
