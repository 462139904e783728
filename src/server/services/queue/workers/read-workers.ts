// getWorker and listWorkers.
import { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import type { ListedWorker, TaskRun, Worker } from "../../../../api/queue/workers.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { partsOf } from "../task-queue-id.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { readWorker, readWorkers, type ListedRow, type WorkerKey, type WorkerRow } from "./store/workers.ts";

const PAGE = 1000;
/** Group and id of the last worker of a page. */
const WORKER_KEY = /^[\w-]{1,38}\/[\w-]{1,38}$/;

/** Fills the holes in the scopes of methods on a worker. */
export const scopeParams = ({ taskQueueId, workerGroup, workerId }: WorkerKey) => ({
  ...partsOf(taskQueueId),
  workerGroup,
  workerId,
});

export const unknownWorker = ({ taskQueueId, workerGroup, workerId }: WorkerKey): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `Worker ${workerGroup}/${workerId} of ${taskQueueId} does not exist: it has never requested work, or has expired. Check its name: listWorkers returns those of the queue.`,
  );

const taskRun = (text: string): TaskRun => {
  const [taskId = "", runId] = text.split("/");
  return { taskId, runId: Number(runId) };
};

const common = (row: Omit<ListedRow, "latest_task">) => ({
  workerGroup: row.worker_group,
  workerId: row.worker_id,
  firstClaim: row.first_claim.toISOString(),
  ...(row.last_date_active && { lastDateActive: row.last_date_active.toISOString() }),
});

/** Returns a worker in the form of replies. */
export const workerReply = ({ taskQueueId }: WorkerKey, row: WorkerRow): Worker => ({
  ...partsOf(taskQueueId),
  taskQueueId,
  ...common(row),
  quarantineUntil: row.quarantine_until.toISOString(),
  expires: row.expires.toISOString(),
  recentTasks: row.recent_tasks.map(taskRun),
  quarantineDetails: row.quarantine_details.map(parseJson),
  actions: [],
});

export const getWorker =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, worker: WorkerKey): Promise<Worker> => {
    caller.authorize(workerEndpoints.getWorker, scopeParams(worker));
    await activity.flush();
    const row = await readWorker(ctx.db, worker, timestamp(ctx));
    if (!row) throw unknownWorker(worker);
    return workerReply(worker, row);
  };

export const listWorkers =
  (ctx: QueueContext, activity: WorkerActivity) =>
  async (caller: Caller, taskQueueId: string, query: PageQuery & { readonly quarantined?: boolean }) => {
    caller.authorize(workerEndpoints.listWorkers, partsOf(taskQueueId));
    const { after, limit } = decodePage(query, PAGE, WORKER_KEY);
    const [workerGroup = "", workerId = ""] = after.split("/");
    await activity.flush();
    const found = await readWorkers(
      ctx.db,
      { taskQueueId, workerGroup, workerId },
      query.quarantined,
      timestamp(ctx),
      limit + 1,
    );
    const { rows, more } = pageOf(found, limit, (row) => `${row.worker_group}/${row.worker_id}`);
    const listed = (row: ListedRow): ListedWorker => ({
      ...common(row),
      ...(row.quarantine_until.getTime() > ctx.clock.now() && {
        quarantineUntil: row.quarantine_until.toISOString(),
      }),
      ...(row.latest_task !== null && { latestTask: taskRun(row.latest_task) }),
    });
    return { workers: rows.map(listed), ...more };
  };
