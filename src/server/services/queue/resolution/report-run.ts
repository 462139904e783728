// reportCompleted, reportFailed and reportException: how workers end runs.
import type { claimEndpoints } from "../../../../api/queue/endpoints/claims.ts";
import type { EXCEPTION_REASONS } from "../../../../api/queue/status.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { wakeAfterCommit, type QueueContext } from "../context.ts";
import { requireRun, requireTask, runIdOf, statusOf } from "../tasks/find-task.ts";
import type { Resolve } from "./end-runs.ts";
import { repeatResolved } from "../tasks/store/read-tasks.ts";

type ExceptionReason = (typeof EXCEPTION_REASONS)[number];

/** The reasons after which the task is tried again, and what the new run says of itself. */
const retriedAs: Partial<Record<ExceptionReason, "retry" | "task-retry">> = {
  "worker-shutdown": "retry",
  "intermittent-task": "task-retry",
};

export function reportCompleted(
  ctx: QueueContext,
  resolve: Resolve,
): Handler<typeof claimEndpoints.reportCompleted> {
  return async (call) => {
    // Workers of long ago told failures in the body of this call.
    const body = call.request.body as { value?: { success?: unknown } } | undefined;
    const outcome = body?.value?.success === false ? "failed" : "completed";
    return report(ctx, resolve, call.params, outcome, outcome, null);
  };
}

export function reportFailed(
  ctx: QueueContext,
  resolve: Resolve,
): Handler<typeof claimEndpoints.reportFailed> {
  return async (call) => report(ctx, resolve, call.params, "failed", "failed", null);
}

export function reportException(
  ctx: QueueContext,
  resolve: Resolve,
): Handler<typeof claimEndpoints.reportException> {
  return async (call) => {
    const { reason } = call.body;
    return report(ctx, resolve, call.params, "exception", reason, retriedAs[reason] ?? null);
  };
}

async function report(
  ctx: QueueContext,
  resolve: Resolve,
  params: { readonly taskId: string; readonly runId: string },
  state: "completed" | "failed" | "exception",
  reason: string,
  retryAs: "retry" | "task-retry" | null,
): Promise<RawJson> {
  const { taskId } = params;
  const runId = runIdOf(params);
  const resolved = await resolve({ taskId, runId, state, reason, retryAs, takenUntil: null });
  return new RawJson(`{"status":${resolved?.status ?? (await repeat(ctx, taskId, runId, state, reason))}}`);
}

/** The run was not running: the same report again is fine and is announced again, anything else is a conflict. */
async function repeat(
  ctx: QueueContext,
  taskId: string,
  runId: number,
  state: string,
  reason: string,
): Promise<string> {
  const task = await requireTask(ctx.db, taskId);
  requireRun(task, runId);
  const { runs } = statusOf(task);
  const run = runs[runId];
  // An exception may have been followed by its retry.
  const newest = state === "exception" ? runs.length - 2 : runs.length - 1;
  if (run?.state !== state || run.reasonResolved !== reason || runId < newest)
    throw new ApiError(
      "RequestConflict",
      `Run ${runId} of task ${taskId} cannot be resolved as ${state} (${reason}): it is ${run?.state}` +
        `${run?.reasonResolved === undefined ? "" : ` (${run.reasonResolved})`}${runId < runs.length - 1 ? ", and not the latest run" : ""}.`,
    );
  await repeatResolved(ctx.db, taskId, runId);
  wakeAfterCommit(ctx, null);
  return task.status;
}
