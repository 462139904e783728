// listPendingTasks and listClaimedTasks: what there is to do in a queue, and what is being done.
import type { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { readClaimed, readPending } from "./store/queue-tasks.ts";

type Endpoints = typeof taskQueueEndpoints;

const PAGE = 1000;
/** The number of a run in the order of their making. */
const PENDING_KEY = /^\d{1,18}$/;
/** When it was claimed, in milliseconds since the epoch, and the same number: many are claimed at one time. */
const CLAIMED_KEY = /^\d{1,13}\/\d{1,18}$/;

/** The reply, around tasks that are JSON texts. */
const reply = (tasks: readonly string[], more: { readonly continuationToken?: string }): RawJson =>
  new RawJson(`${JSON.stringify({ ...more, tasks: [] }).slice(0, -2)}${tasks.join(",")}]}`);

export function listPendingTasks(ctx: QueueContext): Handler<Endpoints["listPendingTasks"]> {
  return async (call) => {
    const { after, limit } = decodePage(call.query, PAGE, PENDING_KEY);
    const { taskQueueId } = call.params;
    const found = await readPending(ctx.db, taskQueueId, after || "0", timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => String(row.seq));
    return reply(
      rows.map(
        (row) =>
          `{"taskId":"${row.task_id}","runId":${row.run_id},"inserted":"${row.scheduled.toISOString()}",` +
          `"task":${row.definition}}`,
      ),
      more,
    );
  };
}

export function listClaimedTasks(ctx: QueueContext): Handler<Endpoints["listClaimedTasks"]> {
  return async (call) => {
    const { after, limit } = decodePage(call.query, PAGE, CLAIMED_KEY);
    const { taskQueueId } = call.params;
    const [ms = "0", seq = "0"] = (after || "0/0").split("/");
    const key = { started: new Date(Number(ms)).toISOString(), seq };
    const found = await readClaimed(ctx.db, taskQueueId, key, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => `${row.started.getTime()}/${row.seq}`);
    return reply(
      rows.map(
        (row) =>
          `{"taskId":"${row.task_id}","runId":${row.run_id},"workerGroup":"${row.worker_group}",` +
          `"workerId":"${row.worker_id}","claimed":"${row.started.toISOString()}","task":${row.definition}}`,
      ),
      more,
    );
  };
}
