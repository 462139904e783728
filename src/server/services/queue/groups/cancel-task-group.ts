// cancelTaskGroup: ends all that is open in a sealed group, some hundred tasks a statement.
import type { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Handler } from "../../../core/http/serve.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { requireGroup } from "../tasks/find-task.ts";
import { record } from "../transition-log.ts";
import { createEnder } from "../resolution/end-runs.ts";
import { groupSize, openMembers, releasingEdges, type EdgeRow, type OpenRow } from "./store.ts";

/** Tasks that one statement ends; it holds their locks, and that of the group, for some 30 ms. */
const BATCH = 250;
const PAGE = 1000;
/** Beyond so many edges (of 10,000 tasks with 10,000 dependencies each, say) their order is left to chance. */
const MAX_EDGES = 200_000;
/** How often the group is gone through while others change its tasks. */
const ATTEMPTS = 5;

export function cancelTaskGroup(ctx: QueueContext): Handler<typeof groupEndpoints.cancelTaskGroup> {
  const end = createEnder(ctx, "canceled", BATCH);
  return async (call) => {
    const { taskGroupId } = call.params;
    const group = await requireGroup(ctx.db, taskGroupId);
    if (group.sealed === null)
      throw new ApiError(
        "RequestConflict",
        `Task group ${taskGroupId} is not sealed, so tasks could be added while it is canceled. Call sealTaskGroup first.`,
      );
    call.authorize({ taskGroupId, schedulerId: group.scheduler_id });
    // A set: whoever runs a task again meanwhile has it canceled twice.
    const canceled = new Set<string>();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const open = await openTasks(ctx, taskGroupId);
      let missed = 0;
      for (let i = 0; i < open.length; i += BATCH) {
        const ended = await Promise.all(open.slice(i, i + BATCH).map((taskId) => end(taskId)));
        for (const row of ended)
          if (row) canceled.add(row.task_id);
          else missed++;
      }
      // What could not be ended was changed meanwhile: it is resolved, and that is that, or has another run.
      if (missed === 0) {
        const taskGroupSize = await groupSize(ctx.db, taskGroupId);
        const counts = { taskGroupSize, cancelledCount: canceled.size };
        record(ctx, "task-group-cancelled", { taskGroupId, schedulerId: group.scheduler_id, ...counts });
        return { taskGroupId, ...counts, taskIds: [...canceled] };
      }
    }
    throw new ApiError(
      "RequestConflict",
      `Tasks of group ${taskGroupId} are being changed by others at the same time; ${canceled.size} were canceled. Try again.`,
    );
  };
}

/**
 * The open tasks of a group in the order in which to end them. A task that requires `all-resolved` becomes pending
 * with the cancel of what it waits for, and a worker would start it; so dependents go before what they wait for, and
 * unscheduled tasks before those that have runs.
 */
async function openTasks(ctx: QueueContext, taskGroupId: string): Promise<string[]> {
  const at = timestamp(ctx);
  const open: OpenRow[] = [];
  let found: OpenRow[];
  do {
    found = await openMembers(ctx.db, taskGroupId, open.at(-1)?.task_id ?? "", at, PAGE);
    open.push(...found);
  } while (found.length === PAGE);
  const those = (state: OpenRow["state"]) => open.filter((t) => t.state === state).map((t) => t.task_id);
  const unscheduled = those("unscheduled");
  const edges = unscheduled.length > 1 ? await releasingEdges(ctx.db, taskGroupId, MAX_EDGES) : [];
  return [...dependentsFirst(unscheduled, edges), ...those("pending"), ...those("running")];
}

/** The same tasks, each after all of its dependents; those that wait for each other in a circle come last. */
export function dependentsFirst(taskIds: readonly string[], edges: readonly EdgeRow[]): string[] {
  const dependents = new Map(taskIds.map((taskId) => [taskId, 0]));
  const requiredBy = new Map<string, string[]>();
  for (const { dependent, required } of edges) {
    const count = dependents.get(required);
    if (count === undefined || !dependents.has(dependent)) continue;
    dependents.set(required, count + 1);
    const known = requiredBy.get(dependent);
    if (known) known.push(required);
    else requiredBy.set(dependent, [required]);
  }
  const placed = new Set(taskIds.filter((taskId) => dependents.get(taskId) === 0));
  // A set is gone through in the order of its insertions, with those that are added on the way.
  for (const taskId of placed)
    for (const required of requiredBy.get(taskId) ?? []) {
      const left = (dependents.get(required) ?? 0) - 1;
      dependents.set(required, left);
      if (left === 0) placed.add(required);
    }
  return [...placed, ...taskIds.filter((taskId) => !placed.has(taskId))];
}
