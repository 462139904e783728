// listPendingTasks and listClaimedTasks: the tasks of a queue that wait for workers, and those that workers hold.
import { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonArray, jsonMembers, jsonObject } from "../../../core/json.ts";
import { decodePage, fullPageOf, type PageQuery } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { readClaimed, readPending } from "./store/queue-tasks.ts";

const PAGE = 1000;
/** The number of a run, in the order in which runs became pending. */
const PENDING_KEY = /^\d{1,18}$/;
/** When a run was claimed, in milliseconds since the epoch, and its number, since several may be claimed together. */
const CLAIMED_KEY = /^\d{1,13}\/\d{1,18}$/;

export const listPendingTasks =
  (ctx: QueueContext) => async (caller: Caller, taskQueueId: string, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.listPendingTasks, { taskQueueId });
    const { after, limit } = decodePage(page, PAGE, PENDING_KEY);
    const found = await readPending(ctx.db, taskQueueId, after || "0", timestamp(ctx), limit + 1);
    const { rows, more } = fullPageOf(found, limit, "definition", (row) => String(row.seq));
    const tasks = rows.map((row) =>
      jsonObject({
        ...jsonMembers({ taskId: row.task_id, runId: row.run_id, inserted: row.scheduled.toISOString() }),
        task: row.definition,
      }),
    );
    return jsonObject({ ...jsonMembers(more), tasks: jsonArray(tasks) });
  };

export const listClaimedTasks =
  (ctx: QueueContext) => async (caller: Caller, taskQueueId: string, page: PageQuery) => {
    caller.authorize(taskQueueEndpoints.listClaimedTasks, { taskQueueId });
    const { after, limit } = decodePage(page, PAGE, CLAIMED_KEY);
    const [ms = "0", seq = "0"] = (after || "0/0").split("/");
    const key = { started: new Date(Number(ms)).toISOString(), seq };
    const found = await readClaimed(ctx.db, taskQueueId, key, timestamp(ctx), limit + 1);
    const { rows, more } = fullPageOf(
      found,
      limit,
      "definition",
      (row) => `${row.started.getTime()}/${row.seq}`,
    );
    const tasks = rows.map((row) =>
      jsonObject({
        ...jsonMembers({
          taskId: row.task_id,
          runId: row.run_id,
          workerGroup: row.worker_group,
          workerId: row.worker_id,
          claimed: row.started.toISOString(),
        }),
        task: row.definition,
      }),
    );
    return jsonObject({ ...jsonMembers(more), tasks: jsonArray(tasks) });
  };
