// task, status, getTaskGroup and listTaskGroup: what the queue knows.
import type { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { RawJson } from "../../../core/http/replies.ts";
import { decodePage, pageOf } from "../../../core/pagination.ts";
import type { QueueContext } from "../context.ts";
import { requireGroup } from "./find-task.ts";
import { readDefinitions, readGroupMembers, readTasks, type GroupRow } from "./store/read-tasks.ts";
import { batched } from "../batched.ts";

const GROUP_PAGE = 1000;

/** Reads of single rows that come at the same time are one statement, which is most of their cost. */
function readTogether<R extends { task_id: string }>(
  ctx: QueueContext,
  name: string,
  read: (taskIds: readonly string[]) => Promise<R[]>,
): (taskId: string) => Promise<R> {
  const readOne = batched<string, R | null>(ctx, {
    name,
    concurrency: 4,
    run: async (taskIds) => {
      const rows = new Map((await read(taskIds)).map((row) => [row.task_id, row]));
      return taskIds.map((taskId) => rows.get(taskId) ?? null);
    },
  });
  return async (taskId) => {
    const row = await readOne(taskId);
    if (!row)
      throw new ApiError(
        "ResourceNotFound",
        `Task ${taskId} does not exist: it was never created here, or has expired.`,
      );
    return row;
  };
}

export function task(ctx: QueueContext): Handler<typeof taskEndpoints.task> {
  const read = readTogether(ctx, "read-definition", (ids) => readDefinitions(ctx.db, ids));
  return async (call) => new RawJson((await read(call.params.taskId)).definition);
}

export function status(ctx: QueueContext): Handler<typeof taskEndpoints.status> {
  const read = readTogether(ctx, "read-status", (ids) => readTasks(ctx.db, ids));
  return async (call) => new RawJson(`{"status":${(await read(call.params.taskId)).status}}`);
}

/** What the wire says of a group itself. */
export const groupMembers = (group: GroupRow) => ({
  taskGroupId: group.task_group_id,
  schedulerId: group.scheduler_id,
  expires: group.expires.toISOString(),
  ...(group.sealed && { sealed: group.sealed.toISOString() }),
});

export function getTaskGroup(ctx: QueueContext): Handler<typeof groupEndpoints.getTaskGroup> {
  return async (call) => groupMembers(await requireGroup(ctx.db, call.params.taskGroupId));
}

export function listTaskGroup(ctx: QueueContext): Handler<typeof groupEndpoints.listTaskGroup> {
  return async (call) => {
    const group = await requireGroup(ctx.db, call.params.taskGroupId);
    const page = decodePage(call.query, GROUP_PAGE);
    const found = await readGroupMembers(ctx.db, group.task_group_id, page.after, page.limit + 1);
    const { rows, more } = pageOf(found, page.limit, (row) => row.task_id);
    const tasks = rows.map((row) => `{"task":${row.definition},"status":${row.status}}`).join(",");
    return new RawJson(
      `${JSON.stringify({ ...groupMembers(group), ...more }).slice(0, -1)},"tasks":[${tasks}]}`,
    );
  };
}
