// listDependentTasks: who waits, or waited, for a task.
import type { listEndpoints } from "../../../../api/queue/endpoints/task-lists.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { requireTask } from "./find-task.ts";
import { dependentsOf } from "./store/read-many.ts";

const PAGE = 1000;

export function listDependentTasks(ctx: QueueContext): Handler<typeof listEndpoints.listDependentTasks> {
  return async (call) => {
    const { after, limit } = decodePage(call.query, PAGE);
    const { task_id: taskId } = await requireTask(ctx.db, call.params.taskId);
    // One more than the page tells whether there is another.
    const found = await dependentsOf(ctx.db, taskId, after, timestamp(ctx), limit + 1);
    const { rows, more } = pageOf(found, limit, (row) => row.task_id);
    const tasks = rows.map(({ json }) => json).join(",");
    return new RawJson(`${JSON.stringify({ taskId, ...more }).slice(0, -1)},"tasks":[${tasks}]}`);
  };
}
