// cancelTaskGroup: cancels all open tasks of a sealed group, some hundred in a statement.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { readAuthorized } from "../../../core/authorize-found.ts";
import type { Caller } from "../../../core/caller.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { createEndTask } from "../resolution/end-runs.ts";
import { groupFinding } from "../tasks/find-task.ts";
import { record } from "../transition-log.ts";
import { openMembers, releasingEdges, type EdgeRow, type OpenRow } from "./store/open-members.ts";
import { groupSize } from "./store/read-group.ts";

/** Tasks that one statement ends; it holds their locks, and that of the group, for some 30 ms. */
const BATCH = 250;
const PAGE = 1000;
/** With more edges (of 10,000 tasks with 10,000 dependencies each, say) the order of some tasks is arbitrary. */
const MAX_EDGES = 200_000;
/** How often the group is read again while others change its tasks. */
const ATTEMPTS = 5;

export function cancelTaskGroup(ctx: QueueContext) {
  const endTask = createEndTask(ctx, "canceled", BATCH);
  return async (caller: Caller, taskGroupId: string) => {
    const { sealed, scheduler_id: schedulerId } = await readAuthorized(
      caller,
      groupEndpoints.cancelTaskGroup,
      groupFinding(ctx, taskGroupId),
    );
    if (sealed === null)
      throw new ApiError(
        "RequestConflict",
        `Task group ${taskGroupId} is not sealed, so tasks could be added while it is canceled. Seal the group first, with sealTaskGroup.`,
      );
    // A set: a task that is run again in the meantime is canceled twice.
    const canceled = new Set<string>();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const open = await openTasks(ctx, taskGroupId);
      let missed = 0;
      for (let i = 0; i < open.length; i += BATCH) {
        const ended = await Promise.all(open.slice(i, i + BATCH).map((taskId) => endTask(taskId)));
        for (const row of ended)
          if (row) canceled.add(row.task_id);
          else missed++;
      }
      // A task that could not be ended was changed in the meantime: it is resolved, or has another run.
      if (missed === 0) {
        const taskGroupSize = await groupSize(ctx.db, taskGroupId);
        const counts = { taskGroupSize, cancelledCount: canceled.size };
        record(ctx, "task-group-cancelled", { taskGroupId, schedulerId, ...counts });
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
 * Returns the open tasks of a group in the order in which to end them. A task that requires `all-resolved` becomes
 * pending when its dependencies are canceled, and a worker would start it; so dependents come before their dependencies,
 * and unscheduled tasks before those that have runs.
 */
async function openTasks(ctx: QueueContext, taskGroupId: string): Promise<string[]> {
  const at = timestamp(ctx);
  const open: OpenRow[] = [];
  let found: OpenRow[];
  do {
    found = await openMembers(ctx.db, taskGroupId, open.at(-1)?.task_id ?? "", at, PAGE);
    open.push(...found);
  } while (found.length === PAGE);
  const idsOf = (state: OpenRow["state"]) => open.filter((t) => t.state === state).map((t) => t.task_id);
  const unscheduled = idsOf("unscheduled");
  const edges = unscheduled.length > 1 ? await releasingEdges(ctx.db, taskGroupId, MAX_EDGES) : [];
  return [...dependentsFirst(unscheduled, edges), ...idsOf("pending"), ...idsOf("running")];
}

/** Sorts tasks so that each comes after all of its dependents. Tasks in a cycle come last. */
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
  // Iterating over a set includes the elements that are added during the iteration.
  for (const taskId of placed)
    for (const required of requiredBy.get(taskId) ?? []) {
      const left = (dependents.get(required) ?? 0) - 1;
      dependents.set(required, left);
      if (left === 0) placed.add(required);
    }
  return [...placed, ...taskIds.filter((taskId) => !placed.has(taskId))];
}
