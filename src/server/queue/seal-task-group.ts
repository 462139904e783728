// sealTaskGroup: nothing is added to the group any more.
import type { groupEndpoints } from "../../api/queue/group-endpoints.ts";
import type { Handler } from "../core/http/serve.ts";
import { timestamp, wakeAfterCommit, type QueueContext } from "./context.ts";
import { requireGroup } from "./find-task.ts";
import { groupMembers } from "./read-task.ts";
import { sealGroup } from "./store/groups.ts";

export function sealTaskGroup(ctx: QueueContext): Handler<typeof groupEndpoints.sealTaskGroup> {
  return async (call) => {
    const { taskGroupId } = call.params;
    const group = await requireGroup(ctx.db, taskGroupId);
    call.authorize({ taskGroupId, schedulerId: group.scheduler_id });
    const sealed = await sealGroup(ctx.db, taskGroupId, timestamp(ctx));
    wakeAfterCommit(ctx, null);
    // It may have expired in between.
    return groupMembers(sealed ?? (await requireGroup(ctx.db, taskGroupId)));
  };
}
