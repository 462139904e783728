// sealTaskGroup: no task can be added to the group any more.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { readAuthorized } from "../../../core/authorize-found.ts";
import type { Caller } from "../../../core/caller.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { groupFinding, requireGroup } from "../tasks/find-task.ts";
import { record } from "../transition-log.ts";
import { groupMembers } from "./read-group.ts";
import { sealGroup } from "./store/seal-group.ts";

export const sealTaskGroup = (ctx: QueueContext) => async (caller: Caller, taskGroupId: string) => {
  const { scheduler_id: schedulerId } = await readAuthorized(
    caller,
    groupEndpoints.sealTaskGroup,
    groupFinding(ctx, taskGroupId),
  );
  const at = timestamp(ctx);
  const sealed = await sealGroup(ctx.db, taskGroupId, at);
  // Otherwise it had been sealed before, and the event was only published again.
  if (sealed?.sealed?.toISOString() === at) record(ctx, "task-group-sealed", { taskGroupId, schedulerId });
  // It may have expired in the meantime.
  return groupMembers(sealed ?? (await requireGroup(ctx.db, taskGroupId)));
};
