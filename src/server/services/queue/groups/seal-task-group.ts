// sealTaskGroup: nothing is added to the group any more.
import type { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { requireGroup } from "../tasks/find-task.ts";
import { groupMembers } from "./read-group.ts";
import { record } from "../transition-log.ts";
import { sealGroup } from "./store.ts";

export function sealTaskGroup(ctx: QueueContext): Handler<typeof groupEndpoints.sealTaskGroup> {
  return async (call) => {
    const { taskGroupId } = call.params;
    const group = await requireGroup(ctx.db, taskGroupId);
    call.authorize({ taskGroupId, schedulerId: group.scheduler_id });
    const at = timestamp(ctx);
    const sealed = await sealGroup(ctx.db, taskGroupId, at);
    // Otherwise it was sealed before, which was only said again.
    if (sealed?.sealed?.toISOString() === at)
      record(ctx, "task-group-sealed", { taskGroupId, schedulerId: sealed.scheduler_id });
    // It may have expired in between.
    return groupMembers(sealed ?? (await requireGroup(ctx.db, taskGroupId)));
  };
}
