// Explains which dependencies a task waits for, and their own dependencies, down to the roots.
import type { Reason } from "../../../../api/queue/why.ts";
import type { QueueContext } from "../context.ts";
import { countUnmet, readUnmet, type UnmetRow } from "./store.ts";

export interface UnmetOptions {
  /** Maximum depth of the list. */
  readonly depth?: number;
  /** Maximum length of the list. Nobody reads more, and it bounds the cost. */
  readonly count?: number;
  /** Whether the task is resolved and waited until then. */
  readonly isResolved?: boolean;
}

/** How many edges of one task are read to choose from: all of the task itself, fewer of its dependencies. */
const EDGES = { own: 10_000, below: 1_000 };

export interface Unmet {
  readonly reasons: readonly Reason[];
  /** The tasks that everything waits for: pending or running. */
  readonly roots: readonly { readonly taskId: string; readonly state: "pending" | "running" }[];
}

/** Explains what a task waits for, breadth first; at each depth, first the dependencies that cannot be met. */
export async function unmetDependencies(
  { db, clock }: Pick<QueueContext, "db" | "clock">,
  taskId: string,
  { depth: maxDepth = 50, count: maxCount = 100, isResolved = false }: UnmetOptions = {},
): Promise<Unmet> {
  const now = clock.now();
  const counts = await countUnmet(db, taskId);
  const unmet = counts.reduce((sum, { count }) => sum + count, 0);
  if (unmet === 0) return { reasons: [], roots: [] };
  const states = Object.fromEntries(counts.map(({ state, count }) => [state, count]));
  const byState = counts.map(({ state, count }) => `${count} ${state}`).join(", ");
  const reasons: Reason[] = [
    {
      code: "dependencies-unmet",
      summary: `The task ${isResolved ? "waited" : "waits"} for ${unmet === 1 ? "a dependency" : `${unmet} dependencies`}: ${byState}.`,
      taskId,
      unmet,
      states,
    },
  ];
  const roots: Unmet["roots"][number][] = [];
  const seen = new Set([taskId]);
  let listed = 0;
  let level: readonly string[] = [taskId];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) {
      reasons.push(cut(taskId, "depth", maxDepth));
      break;
    }
    // One row more than the list can take shows whether there are more.
    const left = maxCount - listed;
    const rows = await readUnmet(db, level, depth === 1 ? EDGES.own : EDGES.below, left + 1);
    const next: string[] = [];
    for (const row of rows.slice(0, left)) {
      listed++;
      const { required, state } = row;
      reasons.push(reasonOf(row, depth, now));
      if (seen.has(required)) continue;
      seen.add(required);
      if (state === "unscheduled" || row.never_scheduled) next.push(required);
      if (state === "pending" || state === "running") roots.push({ taskId: required, state });
    }
    if (rows.length > left) {
      reasons.push(cut(taskId, "count", maxCount));
      break;
    }
    level = next;
  }
  return { reasons, roots };
}

const cut = (taskId: string, at: "depth" | "count", limit: number): Reason => ({
  code: "cut",
  summary:
    at === "depth"
      ? `The list is incomplete: dependencies are followed ${limit} levels deep.`
      : `The list is incomplete: at most ${limit} dependencies are listed.`,
  taskId,
  at,
  limit,
});

function reasonOf(row: UnmetRow, depth: number, now: number): Reason {
  const { required: taskId, dependent: requiredBy, state } = row;
  const requires = row.any_resolution ? "all-resolved" : "all-completed";
  const edge = { taskId, requiredBy, depth, requires } as const;
  if (taskId === requiredBy)
    return {
      code: "depends-on-itself",
      summary: `Task ${taskId} requires itself: it starts only when scheduleTask is called.`,
      ...edge,
    };
  switch (state) {
    case "missing":
      return {
        code: "dependency-missing",
        summary: `Dependency ${taskId} can never be met: it was removed after it expired.`,
        ...edge,
      };
    case "unscheduled":
      return {
        code: "dependency-waits",
        summary: `Dependency ${taskId} waits for its own dependencies.`,
        ...edge,
        state,
      };
    case "pending":
      return {
        code: "dependency-waits",
        summary: `Dependency ${taskId} is pending: no worker has claimed it yet.`,
        ...edge,
        state,
      };
    case "running":
      return { code: "dependency-waits", summary: `Dependency ${taskId} is running.`, ...edge, state };
    case "failed":
    case "exception":
      if (!row.any_resolution && row.deadline)
        return {
          code: "dependency-failed",
          summary: `Dependency ${taskId} was resolved as ${state} (${row.reason_resolved}) but has to complete: ${
            row.deadline.getTime() > now
              ? "it can be met only by a rerun"
              : `it can never be met, since its deadline (${row.deadline.toISOString()}) has passed`
          }.`,
          ...edge,
          state,
          deadline: row.deadline.toISOString(),
          // A run in these states has one of these reasons.
          reasonResolved: row.reason_resolved as "failed",
        };
    // The dependency is resolved as the edge requires, but the edge is not marked as satisfied.
    default:
      if (row.releasing)
        return {
          code: "dependency-resolved",
          summary: `Dependency ${taskId} is ${state}; its many dependents are scheduled in batches within seconds.`,
          ...edge,
        };
      return {
        code: "inconsistent",
        summary: `Dependency ${taskId} is ${state}, as task ${requiredBy} requires, but is not counted as met. The watchdog finds and repairs this.`,
        taskId,
        requiredBy,
        what: `dependency ${taskId} is resolved but not counted`,
      };
  }
}
