// claimWork, claimTask and reclaimTask: how workers get runs and keep them.
import type { claimEndpoints } from "../../../../api/queue/endpoints/claims.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson, Reply } from "../../../core/http/replies.ts";
import type { ClaimDispatcher } from "./claim-dispatcher.ts";
import { claimCredentials, claimedTaskJson, scopesOf } from "./claimed-task.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "../context.ts";
import { refuseAfterDeadline, requireRun, requireTask, runIdOf } from "../tasks/find-task.ts";
import { record, recordClaims } from "../transition-log.ts";
import { claimOne, heldRuns, reclaimRuns, type ClaimedRow, type ReclaimedRow } from "./store.ts";
import { readDefinitions } from "../tasks/store/read-tasks.ts";
import { isQuarantined } from "../workers/store/workers.ts";
import { batched } from "../batched.ts";
import type { WorkerActivity } from "../workers/activity-buffer.ts";

export function claimWork(
  ctx: QueueContext,
  dispatcher: ClaimDispatcher,
  activity: WorkerActivity,
): Handler<typeof claimEndpoints.claimWork> {
  return async (call) => {
    const { taskQueueId } = call.params;
    const { workerGroup, workerId, claimId } = call.body;
    const tasks = Math.min(call.body.tasks, ctx.config.maxTasksPerClaim);
    call.authorize({ taskQueueId, workerGroup, workerId });
    const worker = { taskQueueId, workerGroup, workerId };
    activity.seen(worker);
    const claimer = { workerGroup, workerId, tasks, claimId: claimId ?? null };
    let rows: ClaimedRow[] = [];
    if (claimId !== undefined) {
      await dispatcher.takeOver(taskQueueId, claimer);
      rows = await heldRuns(ctx.db, claimer, { claimId, taskQueueId });
    }
    if (rows.length === 0) {
      rows = await dispatcher.claim(taskQueueId, claimer, ctx.config.claimWorkTimeout, call.closed());
      if (rows.length > 0) activity.claimed(worker, rows);
      recordClaims(ctx, worker, rows);
    }
    return new RawJson(`{"tasks":[${rows.map((row) => claimedTaskJson(ctx, row)).join(",")}]}`);
  };
}

export function claimTask(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<typeof claimEndpoints.claimTask> {
  return async (call) => {
    const { taskId } = call.params;
    const task = await requireTask(ctx.db, taskId);
    const [provisionerId = "", workerType = ""] = task.task_queue_id.split("/");
    const { workerGroup, workerId } = call.body;
    call.authorize({ provisionerId, workerType, workerGroup, workerId });
    refuseAfterDeadline(ctx, task);
    const worker = { taskQueueId: task.task_queue_id, workerGroup, workerId };
    activity.seen(worker);
    if (await isQuarantined(ctx.db, worker, timestamp(ctx)))
      return new Reply(200, {}, { followsSchema: false });
    const runId = runIdOf(call.params);
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
      wakeAfterCommit(ctx, null);
      recordClaims(ctx, worker, [claimed]);
    }
    const row = claimed ?? (await heldRuns(ctx.db, claimer, { taskId, runId }))[0];
    if (!row)
      throw new ApiError(
        "RequestConflict",
        `Run ${runId} of task ${taskId} cannot be claimed: it is not pending, and not held by ${workerGroup}/${workerId}.`,
      );
    return new RawJson(claimedTaskJson(ctx, row));
  };
}

export function reclaimTask(
  ctx: QueueContext,
  activity: WorkerActivity,
): Handler<typeof claimEndpoints.reclaimTask> {
  interface Reclaim {
    readonly taskId: string;
    readonly runId: number;
    readonly takenUntil: string;
  }
  const reclaim = batched<Reclaim, ReclaimedRow>(ctx, {
    name: "reclaim-task",
    key: (run) => `${run.taskId}/${run.runId}`,
    run: (runs) => reclaimRuns(ctx.db, runs, timestamp(ctx)),
  });
  return async (call) => {
    const { taskId } = call.params;
    const runId = runIdOf(call.params);
    const takenUntil = timestamp(ctx, ctx.config.claimTimeout);
    const { status, task_queue_id, worker_group, worker_id } = await reclaim({ taskId, runId, takenUntil });
    if (status === null || task_queue_id === null || worker_group === null || worker_id === null) {
      const task = await requireTask(ctx.db, taskId);
      requireRun(task, runId);
      refuseAfterDeadline(ctx, task);
      throw new ApiError(
        "RequestConflict",
        `Run ${runId} of task ${taskId} is not running any more, so its claim cannot be kept: stop working on it.`,
      );
    }
    const worker = { workerGroup: worker_group, workerId: worker_id };
    activity.seen({ taskQueueId: task_queue_id, ...worker });
    record(ctx, "task-reclaimed", { ...worker, taskId, runId });
    const [row] = await readDefinitions(ctx.db, [taskId]);
    if (!row) throw new ApiError("ResourceNotFound", `Task ${taskId} has expired.`);
    const credentials = claimCredentials(
      ctx,
      { taskId, runId, ...worker, takenUntil: new Date(takenUntil) },
      scopesOf(row.definition),
    );
    return new RawJson(
      `{"status":${status},"runId":${runId},"workerGroup":"${worker_group}","workerId":"${worker_id}",` +
        `"takenUntil":"${takenUntil}","credentials":${JSON.stringify(credentials)}}`,
    );
  };
}
