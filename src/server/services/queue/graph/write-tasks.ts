// Writes the tasks of a call in one transaction.
import { chunks } from "../../../core/columns.ts";
import type { Queryable } from "../../../core/db.ts";
import type { TimeSlice } from "../../../core/time-slice.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { lockRequired, type NewTask } from "../tasks/store/insert-tasks.ts";
import {
  growGroups,
  insertEdges,
  insertFirstRuns,
  insertManyTasks,
  readRequired,
  type CountedTask,
  type Edge,
  type GroupGrowth,
  type RequiredRow,
} from "./store/insert-graph.ts";
import { releaseResolved } from "../resolution/store/release.ts";

/** Something that was checked has changed since: check it again. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

export interface Plan {
  readonly tasks: readonly CountedTask[];
  readonly edges: readonly Edge[];
  /** Tasks that are pending from the start. */
  readonly first: readonly CountedTask[];
  /** Existing tasks for which others wait, in order of ids. */
  readonly awaited: readonly string[];
}

/** Decides which tasks have to wait. `required` has the existing tasks on which they depend, by id. */
export function planTasks(tasks: readonly NewTask[], required: ReadonlyMap<string, RequiredRow>): Plan {
  const awaited = new Set<string>();
  const edges: Edge[] = [];
  const counted: CountedTask[] = [];
  for (const task of tasks) {
    let unsatisfied = 0;
    for (const id of task.dependencies) {
      const existing = required.get(id);
      const satisfied = existing?.[task.anyResolution ? "resolved" : "completed"] ?? false;
      if (!satisfied) unsatisfied++;
      if (existing && !satisfied) awaited.add(id);
      edges.push({ dependent: task.taskId, required: id, anyResolution: task.anyResolution, satisfied });
    }
    counted.push({ ...task, unsatisfied });
  }
  const first = counted.filter(({ unsatisfied }) => unsatisfied === 0);
  return { tasks: counted, edges, first, awaited: [...awaited].sort() };
}

/**
 * Writes the plan, or nothing of it. Returns the ids of existing tasks that became pending, since their dependencies have
 * resolved in the meantime.
 *
 * Locks are taken last, so that others wait for them only briefly: first those of awaited tasks, so that none of them
 * resolves after it was read and before its dependents are written (see lockRequired), then those of the groups. Tasks
 * that were already resolved are not locked: a rerun in the meantime might as well have come afterwards.
 */
export async function writeTasks(
  ctx: Pick<QueueContext, "db" | "clock" | "config">,
  plan: Plan,
  slice: TimeSlice,
): Promise<string[]> {
  const groups = growthOf(plan.tasks);
  return ctx.db.tx(async (tx) => {
    const at = timestamp(ctx);
    const yieldIfOver = async (): Promise<void> => {
      if (slice.isOver()) await slice.next();
    };
    for (const some of chunks(plan.tasks)) {
      await insertManyTasks(tx, some, at);
      await yieldIfOver();
    }
    for (const some of chunks(plan.edges, 1000)) {
      await insertEdges(tx, some);
      await yieldIfOver();
    }
    for (const some of chunks(plan.first)) {
      await insertFirstRuns(tx, some, at);
      await yieldIfOver();
    }
    const released = await settleAwaited(tx, plan.awaited, at);
    for (const some of chunks(groups)) {
      const grown = await growGroups(tx, some, at, ctx.config.groupExpiryMargin);
      if (grown.length < some.length)
        throw new ChangedMeanwhile("a group was sealed or has another scheduler");
    }
    return released;
  });
}

/** Releases the dependents of tasks that have resolved since they were read. Returns the ids of those now pending. */
async function settleAwaited(tx: Queryable, awaited: readonly string[], at: string): Promise<string[]> {
  const tasks: string[] = [];
  for (const some of chunks(awaited)) {
    await lockRequired(tx, some);
    // A separate statement, since it must see what was committed before the locks were taken.
    const rows = await readRequired(tx, some);
    if (rows.length < some.length) throw new ChangedMeanwhile("a dependency has expired");
    const resolved = rows.flatMap(({ task_id: taskId, state, resolved }) =>
      state !== null && resolved ? [{ taskId, state }] : [],
    );
    if (resolved.length === 0) continue;
    for (let more = true; more;) {
      const released = await releaseResolved(tx, resolved, at);
      tasks.push(...released.released);
      more = released.unfinished;
    }
  }
  return tasks;
}

/** Returns the groups in the order of ids in which their rows are locked. */
function growthOf(tasks: readonly NewTask[]): GroupGrowth[] {
  const groups = new Map<string, GroupGrowth>();
  for (const { taskGroupId, schedulerId, expires } of tasks) {
    const before = groups.get(taskGroupId);
    groups.set(taskGroupId, {
      taskGroupId,
      schedulerId,
      expires: before && before.expires > expires ? before.expires : expires,
      tasks: (before?.tasks ?? 0) + 1,
    });
  }
  return [...groups.values()].sort((a, b) => (a.taskGroupId < b.taskGroupId ? -1 : 1));
}
