// claimWork, claimTask and reclaimTask: how workers get runs and keep them.
import type { ClaimedTask, ClaimWorkRequest, ReclaimReply } from "../../../../api/queue/claim.ts";
import { claimEndpoints } from "../../../../api/queue/endpoints/claims.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { readAuthorized } from "../../../core/authorize-found.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonArray, jsonObject, jsonOf, parseJson, type Json } from "../../../core/json.ts";
import { batched } from "../batched.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { partsOf } from "../task-queue-id.ts";
import { checkRunId, refuseAfterDeadline, requireRun, requireTask, taskFinding } from "../tasks/find-task.ts";
import { readDefinitions } from "../tasks/store/read-tasks.ts";
import { record, recordClaims } from "../transition-log.ts";
import type { WorkerActivity } from "../workers/activity-buffer.ts";
import { isQuarantined } from "../workers/store/workers.ts";
import type { ClaimDispatcher } from "./claim-dispatcher.ts";
import { claimCredentials, claimedTask } from "./claimed-task.ts";
import { claimOne } from "./store/claim-one.ts";
import type { ClaimedRow } from "./store/claimed-runs.ts";
import { heldRuns } from "./store/held-runs.ts";
import { reclaimRuns, type ReclaimedRow } from "./store/reclaim.ts";

/** Claims runs of a queue. Waits for some until there are some, the time is over, or `signal` is aborted. */
export const claimWork =
  (ctx: QueueContext, dispatcher: ClaimDispatcher, activity: WorkerActivity) =>
  async (
    caller: Caller,
    taskQueueId: string,
    request: ClaimWorkRequest,
    signal: AbortSignal,
  ): Promise<Json<{ tasks: ClaimedTask[] }>> => {
    const { workerGroup, workerId, claimId } = request;
    caller.authorize(claimEndpoints.claimWork, { taskQueueId, workerGroup, workerId });
    const worker = { taskQueueId, workerGroup, workerId };
    activity.seen(worker);
    const tasks = Math.min(request.tasks, ctx.config.maxTasksPerClaim);
    const claimer = { workerGroup, workerId, tasks, claimId: claimId ?? null };
    let rows: ClaimedRow[] = [];
    if (claimId !== undefined) {
      await dispatcher.takeOver(taskQueueId, claimer);
      rows = await heldRuns(ctx.db, claimer, { claimId, taskQueueId });
    }
    if (rows.length === 0) {
      rows = await dispatcher.claim(taskQueueId, claimer, ctx.config.claimWorkTimeout, signal);
      if (rows.length > 0) activity.claimed(worker, rows);
      recordClaims(ctx, worker, rows);
    }
    return jsonObject({ tasks: jsonArray(rows.map((row) => claimedTask(ctx, row))) });
  };

/** Claims a run by its id. Returns nothing for a worker in quarantine. */
export const claimTask =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (
    caller: Caller,
    taskId: string,
    runId: number,
    { workerGroup, workerId }: { readonly workerGroup: string; readonly workerId: string },
  ): Promise<Json<ClaimedTask> | undefined> => {
    const known = { workerGroup, workerId };
    const finding = taskFinding(
      ctx,
      taskId,
      (found) => ({ ...partsOf(found.task_queue_id), ...known }),
      known,
    );
    const task = await readAuthorized(caller, claimEndpoints.claimTask, finding);
    refuseAfterDeadline(ctx, task);
    const worker = { taskQueueId: task.task_queue_id, workerGroup, workerId };
    activity.seen(worker);
    if (await isQuarantined(ctx.db, worker, timestamp(ctx))) return undefined;
    checkRunId(taskId, runId);
    requireRun(task, runId);
    const claimer = { workerGroup, workerId, tasks: 1, claimId: null };
    const claimed = await claimOne(
      ctx.db,
      taskId,
      runId,
      claimer,
      timestamp(ctx),
      timestamp(ctx, ctx.config.claimTimeout),
    );
    if (claimed) {
      activity.claimed(worker, [claimed]);
      recordClaims(ctx, worker, [claimed]);
    }
    const row = claimed ?? (await heldRuns(ctx.db, claimer, { taskId, runId }))[0];
    if (!row)
      throw new ApiError(
        "RequestConflict",
        `Run ${runId} of task ${taskId} cannot be claimed: it is not pending, and not held by ${workerGroup}/${workerId}. Claim another one.`,
      );
    return claimedTask(ctx, row);
  };

interface Reclaim {
  readonly taskId: string;
  readonly runId: number;
  readonly takenUntil: string;
}

/** Extends the claim of a running run, and issues credentials that last as long. */
export function reclaimTask(ctx: QueueContext, activity: WorkerActivity) {
  const reclaim = batched<Reclaim, ReclaimedRow>(ctx, {
    name: "reclaim-task",
    key: (run) => `${run.taskId}/${run.runId}`,
    run: (runs) => reclaimRuns(ctx.db, runs, timestamp(ctx)),
  });
  return async (caller: Caller, taskId: string, runId: number): Promise<Json<ReclaimReply>> => {
    caller.authorize(claimEndpoints.reclaimTask, { taskId, runId });
    checkRunId(taskId, runId);
    const takenUntil = timestamp(ctx, ctx.config.claimTimeout);
    const reclaimed = await reclaim({ taskId, runId, takenUntil });
    const { status, task_queue_id: taskQueueId, worker_group: workerGroup, worker_id: workerId } = reclaimed;
    if (status === null || taskQueueId === null || workerGroup === null || workerId === null) {
      const task = await requireTask(ctx.db, taskId);
      requireRun(task, runId);
      refuseAfterDeadline(ctx, task);
      throw new ApiError(
        "RequestConflict",
        `Run ${runId} of task ${taskId} is not running any more, so its claim cannot be kept: stop working on it.`,
      );
    }
    activity.seen({ taskQueueId, workerGroup, workerId });
    record(ctx, "task-reclaimed", { workerGroup, workerId, taskId, runId });
    const [row] = await readDefinitions(ctx.db, [taskId]);
    if (!row) throw new ApiError("ResourceNotFound", `Task ${taskId} has expired: stop working on it.`);
    const claim = { taskId, runId, workerGroup, workerId, takenUntil: new Date(takenUntil) };
    return jsonObject({
      status,
      runId: jsonOf(runId),
      workerGroup: jsonOf(workerGroup),
      workerId: jsonOf(workerId),
      takenUntil: jsonOf(takenUntil),
      credentials: jsonOf(claimCredentials(ctx, claim, parseJson(row.definition).scopes)),
    });
  };
}
