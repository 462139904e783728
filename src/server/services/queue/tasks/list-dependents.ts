// listDependentTasks: the tasks that name a task among their dependencies.
import { listEndpoints } from "../../../../api/queue/endpoints/task-lists.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonArray, jsonMembers, jsonObject } from "../../../core/json.ts";
import { decodePage, fullPageOf, type PageQuery } from "../../../core/pagination.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { requireTask } from "./find-task.ts";
import { dependentsOf } from "./store/read-many.ts";

const PAGE = 1000;

export const listDependentTasks =
  (ctx: QueueContext) => async (caller: Caller, taskId: string, page: PageQuery) => {
    caller.authorize(listEndpoints.listDependentTasks, { taskId });
    const { after, limit } = decodePage(page, PAGE);
    await requireTask(ctx.db, taskId);
    // One more than the page shows whether there is another.
    const found = await dependentsOf(ctx.db, taskId, after, timestamp(ctx), limit + 1);
    const { rows, more } = fullPageOf(found, limit, "json", (row) => row.task_id);
    return jsonObject({
      ...jsonMembers({ taskId, ...more }),
      tasks: jsonArray(rows.map(({ json }) => json)),
    });
  };
