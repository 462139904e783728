// Log records of transitions, for following a task through the logs of the processes.
//
// They have the level `debug`, which is off by default: see docs/decisions/020. Each transition is recorded once, after its
// commit. A repeated call that only publishes its event again is not recorded.
import type { TaskStatus } from "../../../api/queue/status.ts";
import { recordsOf } from "../../core/log-definitions.ts";
import { parseJson, type Json } from "../../core/json.ts";
import type { QueueContext } from "./context.ts";
import { logs } from "./logs.ts";
import type { Resolution } from "./resolution/store/resolve-runs.ts";

type LogContext = Pick<QueueContext, "monitor">;

export const record = recordsOf(logs);

/** Reports whether records are written. Check it before computing something only for them. */
export const areRecorded = ({ monitor }: LogContext): boolean => monitor.log.isLevelEnabled("debug");

export function recordDefined(ctx: LogContext, taskId: string, isPending: boolean): void {
  record(ctx, "task-defined", { taskId });
  if (isPending) record(ctx, "task-pending", { taskId, runId: 0 });
}

/** Records that a worker claimed runs. */
export function recordClaims(
  ctx: LogContext,
  {
    taskQueueId,
    workerGroup,
    workerId,
  }: Readonly<Record<"taskQueueId" | "workerGroup" | "workerId", string>>,
  runs: readonly { readonly task_id: string; readonly run_id: number }[],
): void {
  for (const { task_id: taskId, run_id: runId } of runs) {
    record(ctx, "task-claimed", { taskQueueId, workerGroup, workerId, taskId, runId });
    record(ctx, "task-running", { taskId, runId });
  }
}

/** Records that scheduleTask or rerunTask made the latest run pending. `status` is the task's, as JSON text. */
export function recordPending(ctx: LogContext, status: Json<TaskStatus>): void {
  if (!areRecorded(ctx)) return;
  const { taskId, runs } = parseJson(status);
  record(ctx, "task-pending", { taskId, runId: runs.length - 1 });
}

/** Records that a run was resolved, and that its retry is pending if there is one. `status` is the task's, as JSON text. */
export function recordResolution(
  ctx: LogContext,
  state: Resolution["state"],
  reasonResolved: string,
  status: Json<TaskStatus>,
): void {
  if (!areRecorded(ctx)) return;
  const { taskId, runs, state: taskState } = parseJson(status);
  const isRetried = taskState === "pending";
  const runId = runs.length - (isRetried ? 2 : 1);
  record(ctx, `task-${state}`, { taskId, runId, reasonResolved });
  if (isRetried) record(ctx, "task-pending", { taskId, runId: runId + 1 });
}

/** Records that tasks became pending when their last dependency resolved. */
export function recordReleased(ctx: LogContext, taskIds: readonly string[] | null): void {
  for (const taskId of taskIds ?? []) record(ctx, "task-pending", { taskId, runId: 0 });
}
