// sealTaskGroup: no task can be added to the group any more.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import type { Caller } from "../../../core/caller.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { requireGroup } from "../tasks/find-task.ts";
import { record } from "../transition-log.ts";
import { groupMembers } from "./read-group.ts";
import { sealGroup } from "./store/seal-group.ts";

export const sealTaskGroup = (ctx: QueueContext) => async (caller: Caller, taskGroupId: string) => {
  const group = await requireGroup(ctx.db, taskGroupId);
  const schedulerId = group.scheduler_id;
  caller.authorize(groupEndpoints.sealTaskGroup, { taskGroupId, schedulerId });
  const at = timestamp(ctx);
  const sealed = await sealGroup(ctx.db, taskGroupId, at);
  // Otherwise it had been sealed before, and the event was only published again.
  if (sealed?.sealed?.toISOString() === at) record(ctx, "task-group-sealed", { taskGroupId, schedulerId });
  // It may have expired in the meantime.
  return groupMembers(sealed ?? (await requireGroup(ctx.db, taskGroupId)));
};
