// reportCompleted, reportFailed and reportException: how workers resolve runs.
import { claimEndpoints } from "../../../../api/queue/endpoints/claims.ts";
import type { EXCEPTION_REASONS, TaskStatus } from "../../../../api/queue/status.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson, type Json } from "../../../core/json.ts";
import type { QueueContext } from "../context.ts";
import { checkRunId, requireRun, requireTask } from "../tasks/find-task.ts";
import type { Resolve } from "./end-runs.ts";
import type { Resolution } from "./store/resolve-runs.ts";

type ExceptionReason = (typeof EXCEPTION_REASONS)[number];

/** The reasons after which the task is tried again, and why its new run was created. */
const retriedAs: Partial<Record<ExceptionReason, "retry" | "task-retry">> = {
  "worker-shutdown": "retry",
  "intermittent-task": "task-retry",
};

export type ReportUseCases = ReturnType<typeof reportUseCases>;

export const reportUseCases = (ctx: QueueContext, resolve: Resolve) => ({
  reportCompleted: reportCompleted(ctx, resolve),
  reportFailed: reportFailed(ctx, resolve),
  reportException: reportException(ctx, resolve),
});

const reportCompleted =
  (ctx: QueueContext, resolve: Resolve) => async (caller: Caller, taskId: string, runId: number) => {
    caller.authorize(claimEndpoints.reportCompleted, { taskId, runId });
    return report(ctx, resolve, { taskId, runId, state: "completed", reason: "completed", retryAs: null });
  };

const reportFailed =
  (ctx: QueueContext, resolve: Resolve) => async (caller: Caller, taskId: string, runId: number) => {
    caller.authorize(claimEndpoints.reportFailed, { taskId, runId });
    return report(ctx, resolve, { taskId, runId, state: "failed", reason: "failed", retryAs: null });
  };

const reportException =
  (ctx: QueueContext, resolve: Resolve) =>
  async (caller: Caller, taskId: string, runId: number, reason: ExceptionReason) => {
    caller.authorize(claimEndpoints.reportException, { taskId, runId });
    const retryAs = retriedAs[reason] ?? null;
    return report(ctx, resolve, { taskId, runId, state: "exception", reason, retryAs });
  };

async function report(
  ctx: QueueContext,
  resolve: Resolve,
  resolution: Omit<Resolution, "takenUntil">,
): Promise<Json<TaskStatus>> {
  checkRunId(resolution.taskId, resolution.runId);
  const resolved = await resolve({ ...resolution, takenUntil: null });
  return resolved?.status ?? repeat(ctx, resolution);
}

/** The run was not running. The same report again changes nothing, anything else is a conflict. */
async function repeat(
  ctx: QueueContext,
  { taskId, runId, state, reason }: Omit<Resolution, "takenUntil">,
): Promise<Json<TaskStatus>> {
  const task = await requireTask(ctx.db, taskId);
  requireRun(task, runId);
  const { runs } = parseJson(task.status);
  const run = runs[runId];
  // An exception may have been followed by its retry.
  const newest = state === "exception" ? runs.length - 2 : runs.length - 1;
  if (run?.state !== state || run.reasonResolved !== reason || runId < newest)
    throw new ApiError(
      "RequestConflict",
      `Run ${runId} of task ${taskId} cannot be resolved as ${state} (${reason}): it is ${run?.state}` +
        `${run?.reasonResolved === undefined ? "" : ` (${run.reasonResolved})`}${runId < runs.length - 1 ? ", and not the latest run" : ""}. Stop working on it.`,
    );
  // Its event was committed with the state, so it is not published again: readers would handle the resolution twice.
  return task.status;
}
