// The task that calls: what the database has about the run whose credentials a caller uses. For other services.
import { ApiError } from "../../../../lib/errors.ts";
import type { Identity } from "../../../core/caller.ts";
import type { QueueContext } from "../context.ts";
import { readRun } from "./store/read-run.ts";
import { parseTaskClientId, type TaskClient } from "./task-client-id.ts";

export interface RunningTask extends TaskClient {
  readonly taskGroupId: string;
  readonly taskQueueId: string;
  readonly schedulerId: string;
  readonly projectId: string;
  /** When the credentials, the claim or the time for the task end, whichever comes first, in milliseconds. */
  readonly until: number;
}

/**
 * Returns the running task whose credentials these are. Throws `AccessDenied` for any other credentials, also those that
 * another client than the queue issued with the client id of a task, and if the run has ended.
 */
export const runningTask =
  ({ db, clock, issuer: queue }: Pick<QueueContext, "db" | "clock" | "issuer">) =>
  async ({ clientId, issuer, expires }: Identity): Promise<RunningTask> => {
    const named = issuer === queue.clientId && clientId !== undefined && parseTaskClientId(clientId);
    if (!named)
      throw new ApiError(
        "AccessDenied",
        `Only a running task can call this, with the credentials that the queue issued for its run. ${clientId === undefined ? "This request has none" : `These are credentials of ${clientId}`}: call this from a task.`,
      );
    const { taskId, runId, workerGroup, workerId } = named;
    const run = await readRun(db, taskId, runId);
    const until = run && Math.min(expires, run.deadline.getTime(), run.taken_until?.getTime() ?? 0);
    const isHeld = run?.state === "running" && run.worker_group === workerGroup && run.worker_id === workerId;
    if (!isHeld || until === undefined || until <= clock.now())
      throw new ApiError(
        "AccessDenied",
        `Run ${runId} of task ${taskId} is not running any more, or its claim or these credentials have expired. Call this while the task runs, with the credentials of its latest claim or reclaim.`,
      );
    return {
      ...named,
      taskGroupId: run.task_group_id,
      taskQueueId: run.task_queue_id,
      schedulerId: run.scheduler_id,
      projectId: run.project_id,
      until,
    };
  };
