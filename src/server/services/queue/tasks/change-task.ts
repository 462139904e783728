// scheduleTask, rerunTask and cancelTask: what people and schedulers do to tasks.
import { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { readAuthorized } from "../../../core/authorize-found.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson, type Json } from "../../../core/json.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { createEndTask } from "../resolution/end-runs.ts";
import { recordPending } from "../transition-log.ts";
import { refuseAfterDeadline, requireTask, taskFinding } from "./find-task.ts";
import { publishPendingAgain, publishResolvedAgain } from "./store/publish-again.ts";
import { rerunTask as addRerun, scheduleTask as addFirstRun } from "./store/add-run.ts";

/** How often a change is tried when others change the task between reading and writing. */
const ATTEMPTS = 5;

/** How a caller is authorized for these methods: their scopes contain values of the task. */
const findingOf = (ctx: QueueContext, taskId: string) =>
  taskFinding(ctx, taskId, (task) => ({
    taskId,
    taskGroupId: task.task_group_id,
    schedulerId: task.scheduler_id,
    projectId: task.project_id,
  }));

const busy = (taskId: string): ApiError =>
  new ApiError("RequestConflict", `Task ${taskId} is being changed by others at the same time; try again.`);

/** Makes an unscheduled task pending. A task that has runs is left as it is. */
export const scheduleTask =
  (ctx: QueueContext) =>
  async (caller: Caller, taskId: string): Promise<Json<TaskStatus>> => {
    const task = await readAuthorized(caller, taskEndpoints.scheduleTask, findingOf(ctx, taskId));
    refuseAfterDeadline(ctx, task);
    const scheduled = await addFirstRun(ctx.db, taskId, timestamp(ctx));
    if (!scheduled) {
      const now = await requireTask(ctx.db, taskId);
      // It has runs already, or its deadline has passed in the meantime.
      if (now.run_count === 0) refuseAfterDeadline(ctx, now);
      return now.status;
    }
    recordPending(ctx, scheduled.status);
    return scheduled.status;
  };

/** Adds a run to a task that is resolved or unscheduled. Publishes again that a pending task is pending. */
export const rerunTask =
  (ctx: QueueContext) =>
  async (caller: Caller, taskId: string): Promise<Json<TaskStatus>> => {
    let task = await readAuthorized(caller, taskEndpoints.rerunTask, findingOf(ctx, taskId));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      refuseAfterDeadline(ctx, task);
      const { state } = parseJson(task.status);
      if (state === "pending" || state === "running") {
        if (state === "pending") await publishPendingAgain(ctx.db, taskId, task.task_queue_id);
        return task.status;
      }
      if (task.run_count >= ctx.config.maxRuns)
        throw new ApiError(
          "RequestConflict",
          `Maximum number of runs reached (${ctx.config.maxRuns}): task ${taskId} cannot run again. Create a new task.`,
        );
      const rerun = await addRerun(ctx.db, taskId, task.run_count, ctx.config.maxRuns, timestamp(ctx));
      if (rerun) {
        recordPending(ctx, rerun.status);
        return rerun.status;
      }
      task = await requireTask(ctx.db, taskId);
    }
    throw busy(taskId);
  };

/** Resolves a task that is not resolved yet. Publishes again that a canceled task is canceled. */
export function cancelTask(ctx: QueueContext) {
  const endTask = createEndTask(ctx, "canceled");
  return async (caller: Caller, taskId: string): Promise<Json<TaskStatus>> => {
    let task = await readAuthorized(caller, taskEndpoints.cancelTask, findingOf(ctx, taskId));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      refuseAfterDeadline(ctx, task);
      const ended = await endTask(taskId);
      if (ended) return ended.status;
      task = await requireTask(ctx.db, taskId);
      const latest = parseJson(task.status).runs.at(-1);
      if (latest?.state === "pending" || latest?.state === "running" || latest === undefined) continue;
      // It was resolved before. Only a cancel is published again.
      if (latest.reasonResolved === "canceled") await publishResolvedAgain(ctx.db, taskId, latest.runId);
      return task.status;
    }
    throw busy(taskId);
  };
}
