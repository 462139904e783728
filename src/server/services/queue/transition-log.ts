// What the queue writes to the process's log about transitions, for whoever follows a task through the logs.
//
// At the level `debug`, which is off by default: see docs/decisions/020. A record is made once, where a transition was
// committed; a call that only has an event told again makes none.
import type { TaskStatus } from "../../../api/queue/status.ts";
import type { QueueContext } from "./context.ts";
import type { Resolution } from "./resolution/store/resolve-runs.ts";

interface OfRun {
  readonly taskId: string;
  readonly runId: number;
}
interface OfWorker {
  readonly workerGroup: string;
  readonly workerId: string;
}
interface OfGroup {
  readonly taskGroupId: string;
  readonly schedulerId: string;
}
type Resolved = OfRun & { readonly reasonResolved: string };

/** What each record tells, by its message. */
interface Records {
  readonly "task-defined": { readonly taskId: string };
  readonly "task-pending": OfRun;
  readonly "task-running": OfRun;
  readonly "task-claimed": OfRun & OfWorker & { readonly taskQueueId: string };
  readonly "task-reclaimed": OfRun & OfWorker;
  readonly "task-completed": Resolved;
  readonly "task-failed": Resolved;
  readonly "task-exception": Resolved;
  readonly "task-priority-changed": {
    readonly taskId: string;
    readonly oldPriority: string;
    readonly newPriority: string;
  };
  readonly "task-group-sealed": OfGroup;
  readonly "task-group-cancelled": OfGroup & {
    readonly taskGroupSize: number;
    readonly cancelledCount: number;
  };
  readonly "task-group-priority-changed": OfGroup & {
    readonly newPriority: string;
    readonly tasksAffected: number;
  };
}

type Recording = Pick<QueueContext, "monitor">;

export function record<K extends keyof Records>(
  { monitor }: Recording,
  message: K,
  fields: Records[K],
): void {
  monitor.log.debug<object>(fields, message);
}

/** Whether anybody sees records: to be asked before something is worked out for them alone. */
export const areRecorded = ({ monitor }: Recording): boolean => monitor.log.isLevelEnabled("debug");

export function recordDefined(ctx: Recording, taskId: string, isPending: boolean): void {
  record(ctx, "task-defined", { taskId });
  if (isPending) record(ctx, "task-pending", { taskId, runId: 0 });
}

/** That a worker was handed runs. */
export function recordClaims(
  ctx: Recording,
  { taskQueueId, workerGroup, workerId }: OfWorker & { readonly taskQueueId: string },
  runs: readonly { readonly task_id: string; readonly run_id: number }[],
): void {
  for (const { task_id: taskId, run_id: runId } of runs) {
    record(ctx, "task-claimed", { taskQueueId, workerGroup, workerId, taskId, runId });
    record(ctx, "task-running", { taskId, runId });
  }
}

/** That a run was made pending by hand; `status` is the task's, as JSON text, with that run as the latest. */
export function recordPending(ctx: Recording, status: string): void {
  if (!areRecorded(ctx)) return;
  const { taskId, runs } = JSON.parse(status) as TaskStatus;
  record(ctx, "task-pending", { taskId, runId: runs.length - 1 });
}

/** That the latest run of a task ended, and that its retry is pending where one follows. `status` is JSON text. */
export function recordResolution(
  ctx: Recording,
  state: Resolution["state"],
  reasonResolved: string,
  status: string,
): void {
  if (!areRecorded(ctx)) return;
  const { taskId, runs, state: now } = JSON.parse(status) as TaskStatus;
  const isRetried = now === "pending";
  const runId = runs.length - (isRetried ? 2 : 1);
  record(ctx, `task-${state}`, { taskId, runId, reasonResolved });
  if (isRetried) record(ctx, "task-pending", { taskId, runId: runId + 1 });
}

/** That tasks became pending with the resolution of what they waited for. */
export function recordReleased(ctx: Recording, taskIds: readonly string[] | null): void {
  for (const taskId of taskIds ?? []) record(ctx, "task-pending", { taskId, runId: 0 });
}
