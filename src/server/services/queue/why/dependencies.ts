// The dependencies that a task waits for, and what those wait for, down to the roots.
import type { Reason } from "../../../../api/queue/why.ts";
import type { QueueContext } from "../context.ts";
import { countUnmet, readUnmet, type UnmetRow } from "./store.ts";

export interface Told {
  /** How much is told of a graph. A person reads no more, and the cost has an end. */
  readonly depth?: number;
  readonly count?: number;
  /** The task has ended, and waited until then. */
  readonly isOver?: boolean;
}

/** Edges of one task that are looked at to choose those that are told: all of its own, fewer of those below it. */
const LOOK = { own: 10_000, below: 1_000 };

export interface Unmet {
  readonly reasons: readonly Reason[];
  /** Tasks on which all waits and that wait for no dependency themselves: pending or running. */
  readonly roots: readonly { readonly taskId: string; readonly state: "pending" | "running" }[];
}

/** What keeps a task from being scheduled, breadth first, the hopeless before the slow. */
export async function unmetDependencies(
  { db, clock }: Pick<QueueContext, "db" | "clock">,
  taskId: string,
  { depth: maxDepth = 50, count: maxCount = 100, isOver = false }: Told = {},
): Promise<Unmet> {
  const now = clock.now();
  const counts = await countUnmet(db, taskId);
  const unmet = counts.reduce((sum, { count }) => sum + count, 0);
  if (unmet === 0) return { reasons: [], roots: [] };
  const states = Object.fromEntries(counts.map(({ state, count }) => [state, count]));
  const listed = counts.map(({ state, count }) => `${count} ${state}`).join(", ");
  const reasons: Reason[] = [
    {
      code: "dependencies-unmet",
      summary: `The task ${isOver ? "waited" : "waits"} for ${unmet === 1 ? "a dependency" : `${unmet} dependencies`}: ${listed}.`,
      taskId,
      unmet,
      states,
    },
  ];
  const roots: Unmet["roots"][number][] = [];
  const seen = new Set([taskId]);
  let told = 0;
  let level: readonly string[] = [taskId];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) {
      reasons.push(cut(taskId, "depth", maxDepth));
      break;
    }
    // One more than is told shows whether there are more.
    const left = maxCount - told;
    const rows = await readUnmet(db, level, depth === 1 ? LOOK.own : LOOK.below, left + 1);
    const next: string[] = [];
    for (const row of rows.slice(0, left)) {
      told++;
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
      ? `There is more below: dependencies are followed ${limit} steps deep.`
      : `There are more: no more than ${limit} dependencies are told.`,
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
      summary: `Task ${taskId} requires itself: it starts only when it is scheduled by hand.`,
      ...edge,
    };
  switch (state) {
    case "missing":
      return {
        code: "dependency-missing",
        summary: `Dependency ${taskId} is gone: it was removed after it expired, and can never be met.`,
        ...edge,
      };
    case "unscheduled":
      return {
        code: "dependency-waits",
        summary: `Dependency ${taskId} waits for others itself.`,
        ...edge,
        state,
      };
    case "pending":
      return {
        code: "dependency-waits",
        summary: `Dependency ${taskId} is pending: no worker has it yet.`,
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
          summary: `Dependency ${taskId} ended as ${state} (${row.reason_resolved}), and has to complete: ${
            row.deadline.getTime() > now
              ? "it can be met only after it is run again"
              : `it never can, since its deadline (${row.deadline.toISOString()}) has passed`
          }.`,
          ...edge,
          state,
          deadline: row.deadline.toISOString(),
          // The table holds nothing else there for a run that is over.
          reasonResolved: row.reason_resolved as "failed",
        };
    // A resolution that satisfies the edge, which yet is not satisfied.
    default:
      if (row.releasing)
        return {
          code: "dependency-resolved",
          summary: `Dependency ${taskId} is ${state}; very many tasks waited for it, and their turn comes within seconds.`,
          ...edge,
        };
      return {
        code: "inconsistent",
        summary: `Dependency ${taskId} is ${state}, which task ${requiredBy} requires, but it does not count as met. The watchdog looks for this and puts it right.`,
        taskId: requiredBy,
        what: `dependency ${taskId} is resolved and not counted`,
      };
  }
}
