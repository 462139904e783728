// getTaskGroup and listTaskGroup: a group, and its tasks.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import type { Caller } from "../../../core/caller.ts";
import { jsonArray, jsonMembers, jsonObject } from "../../../core/json.ts";
import { decodePage, fullPageOf, type PageQuery } from "../../../core/pagination.ts";
import type { QueueContext } from "../context.ts";
import { requireGroup } from "../tasks/find-task.ts";
import { membersOf } from "../tasks/store/read-many.ts";
import type { GroupRow } from "./store/read-group.ts";

const PAGE = 1000;

/** The members of a group's own in replies. */
export const groupMembers = (group: GroupRow) => ({
  taskGroupId: group.task_group_id,
  schedulerId: group.scheduler_id,
  expires: group.expires.toISOString(),
  ...(group.sealed && { sealed: group.sealed.toISOString() }),
});

export const getTaskGroup = (ctx: QueueContext) => async (caller: Caller, taskGroupId: string) => {
  caller.authorize(groupEndpoints.getTaskGroup, { taskGroupId });
  return groupMembers(await requireGroup(ctx.db, taskGroupId));
};

export const listTaskGroup =
  (ctx: QueueContext) => async (caller: Caller, taskGroupId: string, page: PageQuery) => {
    caller.authorize(groupEndpoints.listTaskGroup, { taskGroupId });
    const group = await requireGroup(ctx.db, taskGroupId);
    const { after, limit } = decodePage(page, PAGE);
    // One more than the page shows whether there is another.
    const found = await membersOf(ctx.db, taskGroupId, after, limit + 1);
    const { rows, more } = fullPageOf(found, limit, "json", (row) => row.task_id);
    return jsonObject({
      ...jsonMembers({ ...groupMembers(group), ...more }),
      tasks: jsonArray(rows.map(({ json }) => json)),
    });
  };
