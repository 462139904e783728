// getWorker and listWorkers: what is known of workers.
import type { ListedWorker, QuarantineDetail, TaskRun, Worker } from "../../../../api/queue/workers.ts";
import type { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { readWorker, readWorkers, type WorkerKey, type WorkerRow } from "./store/workers.ts";
import type { WorkerActivity } from "./activity-buffer.ts";

type Endpoints = typeof workerEndpoints;

const PAGE = 1000;
/** Group and id of the last worker of a page. */
const WORKER_KEY = /^[\w-]{1,38}\/[\w-]{1,38}$/;

/** The worker that a path names. */
export const workerOf = (params: {
  readonly provisionerId: string;
  readonly workerType: string;
  readonly workerGroup: string;
  readonly workerId: string;
}): WorkerKey => ({
  taskQueueId: `${params.provisionerId}/${params.workerType}`,
  workerGroup: params.workerGroup,
  workerId: params.workerId,
});

export const unknownWorker = ({ taskQueueId, workerGroup, workerId }: WorkerKey): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Worker ${workerGroup}/${workerId} of ${taskQueueId} does not exist: it never asked for work, or has expired since.`,
  );

const taskRun = (text: string): TaskRun => {
  const [taskId = "", runId] = text.split("/");
  return { taskId, runId: Number(runId) };
};

const common = (ctx: Pick<QueueContext, "clock">, row: WorkerRow) => ({
  workerGroup: row.worker_group,
  workerId: row.worker_id,
  firstClaim: row.first_claim.toISOString(),
  ...(row.last_date_active && { lastDateActive: row.last_date_active.toISOString() }),
  ...(row.quarantine_until.getTime() > ctx.clock.now() && {
    quarantineUntil: row.quarantine_until.toISOString(),
  }),
});

/** The worker as replies have it. */
export function workerReply(
  ctx: Pick<QueueContext, "clock">,
  { taskQueueId }: WorkerKey,
  row: WorkerRow,
): Worker {
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  return {
    provisionerId,
    workerType,
    taskQueueId,
    ...common(ctx, row),
    expires: row.expires.toISOString(),
    recentTasks: row.recent_tasks.map(taskRun),
    // Written by quarantineWorker in this form.
    quarantineDetails: row.quarantine_details.map((text) => JSON.parse(text) as QuarantineDetail),
  };
}

export function getWorker(ctx: QueueContext, activity: WorkerActivity): Handler<Endpoints["getWorker"]> {
  return async (call) => {
    const worker = workerOf(call.params);
    await activity.flush();
    const row = await readWorker(ctx.db, worker, timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    return workerReply(ctx, worker, row);
  };
}

export function listWorkers(ctx: QueueContext, activity: WorkerActivity): Handler<Endpoints["listWorkers"]> {
  return async (call) => {
    const { provisionerId, workerType } = call.params;
    const { after, limit } = decodePage(call.query, PAGE, WORKER_KEY);
    const [workerGroup = "", workerId = ""] = after.split("/");
    const { quarantined } = call.query;
    await activity.flush();
    const found = await readWorkers(
      ctx.db,
      { taskQueueId: `${provisionerId}/${workerType}`, workerGroup, workerId },
      quarantined === undefined ? undefined : quarantined === "true",
      timestamp(ctx),
      limit + 1,
    );
    const { rows, more } = pageOf(found, limit, (row) => `${row.worker_group}/${row.worker_id}`);
    const listed = (row: WorkerRow): ListedWorker => {
      const latest = row.recent_tasks.at(-1);
      return { ...common(ctx, row), ...(latest !== undefined && { latestTask: taskRun(latest) }) };
    };
    return { workers: rows.map(listed), ...more };
  };
}
