// scheduleTask, rerunTask and cancelTask: what people and schedulers do to tasks.
import type { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "../context.ts";
import { refuseAfterDeadline, requireTask, statusOf } from "./find-task.ts";
import { recordPending } from "../transition-log.ts";
import { createEnder } from "../resolution/end-runs.ts";
import { repeatPending, repeatResolved, type TaskRow } from "./store/read-tasks.ts";
import { rerunTask as addRerun, scheduleTask as addFirstRun } from "./store/schedule-run.ts";

/** How often a change is tried whose task was changed by somebody else between reading and writing. */
const ATTEMPTS = 5;

/** What the scope expressions of these methods ask for. */
const scopeParams = (task: TaskRow) => ({
  taskId: task.task_id,
  taskGroupId: task.task_group_id,
  schedulerId: task.scheduler_id,
  projectId: task.project_id,
});

const reply = (status: string): RawJson => new RawJson(`{"status":${status}}`);

const busy = (taskId: string): ApiError =>
  new ApiError("RequestConflict", `Task ${taskId} is being changed by others at the same time; try again.`);

export function scheduleTask(ctx: QueueContext): Handler<typeof taskEndpoints.scheduleTask> {
  return async (call) => {
    const task = await requireTask(ctx.db, call.params.taskId);
    call.authorize(scopeParams(task));
    refuseAfterDeadline(ctx, task);
    const scheduled = await addFirstRun(ctx.db, task.task_id, timestamp(ctx));
    if (!scheduled) {
      const now = await requireTask(ctx.db, task.task_id);
      // It has runs already, or the deadline came in between.
      if (now.run_count === 0) refuseAfterDeadline(ctx, now);
      return reply(now.status);
    }
    wakeAfterCommit(ctx, [scheduled.task_queue_id]);
    recordPending(ctx, scheduled.status);
    return reply(scheduled.status);
  };
}

export function rerunTask(ctx: QueueContext): Handler<typeof taskEndpoints.rerunTask> {
  return async (call) => {
    let task = await requireTask(ctx.db, call.params.taskId);
    call.authorize(scopeParams(task));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      refuseAfterDeadline(ctx, task);
      const { state } = statusOf(task);
      if (state === "pending" || state === "running") {
        if (state === "pending") {
          await repeatPending(ctx.db, task.task_id);
          wakeAfterCommit(ctx, [task.task_queue_id]);
        }
        return reply(task.status);
      }
      if (task.run_count >= ctx.config.maxRuns)
        throw new ApiError(
          "RequestConflict",
          `Maximum number of runs reached (${ctx.config.maxRuns}): task ${task.task_id} cannot run again. Create a new task.`,
        );
      const rerun = await addRerun(ctx.db, task.task_id, task.run_count, ctx.config.maxRuns, timestamp(ctx));
      if (rerun) {
        wakeAfterCommit(ctx, [rerun.task_queue_id]);
        recordPending(ctx, rerun.status);
        return reply(rerun.status);
      }
      task = await requireTask(ctx.db, task.task_id);
    }
    throw busy(task.task_id);
  };
}

export function cancelTask(ctx: QueueContext): Handler<typeof taskEndpoints.cancelTask> {
  const end = createEnder(ctx, "canceled");
  return async (call) => {
    let task = await requireTask(ctx.db, call.params.taskId);
    call.authorize(scopeParams(task));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      refuseAfterDeadline(ctx, task);
      const ended = await end(task.task_id);
      if (ended) return reply(ended.status);
      task = await requireTask(ctx.db, task.task_id);
      const { runs } = statusOf(task);
      const latest = runs.at(-1);
      if (latest?.state === "pending" || latest?.state === "running" || latest === undefined) continue;
      // Resolved before, by a cancel (said again) or otherwise (nothing to do).
      if (latest.reasonResolved === "canceled") {
        await repeatResolved(ctx.db, task.task_id, latest.runId);
        wakeAfterCommit(ctx, null);
      }
      return reply(task.status);
    }
    throw busy(task.task_id);
  };
}
