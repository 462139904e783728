// Removes from an explanation what the caller could not read by the methods for it, and says that something is missing.
import { groupEndpoints } from "../../../../api/queue/endpoints/groups.ts";
import { taskQueueEndpoints } from "../../../../api/queue/endpoints/task-queues.ts";
import { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import { workerEndpoints } from "../../../../api/queue/endpoints/workers.ts";
import type { Reason } from "../../../../api/queue/why.ts";
import { fillScope } from "../../../../lib/scopes/render.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import { partsOf } from "../task-queue-id.ts";

/** The scopes of what is hidden, as patterns: those of single dependencies would reveal their ids. */
const ofTasks = fillScope(taskEndpoints.status.scopes, { taskId: "*" });
const ofCounts = (taskQueueId: string): readonly string[] => [
  fillScope(taskQueueEndpoints.pendingTasks.scopes, { taskQueueId }),
];
const ofWorkers = (taskQueueId: string): readonly string[] => [
  `queue:claimed-count:${taskQueueId}`,
  fillScope(workerEndpoints.listWorkers.scopes, partsOf(taskQueueId)),
];

/** Returns the reasons that the caller may read. If there are others, the last one names the scopes that it lacks. */
export function redact(reasons: readonly Reason[], taskId: string, scopes: ScopeSet): readonly Reason[] {
  const missing = new Set<string>();
  const lacks = (...needed: readonly string[]): boolean => {
    const lacking = needed.filter((scope) => !scopes.satisfies(scope));
    for (const scope of lacking) missing.add(scope);
    return lacking.length > 0;
  };
  const mayReadTask = (id: string): boolean =>
    id === taskId || scopes.satisfies(fillScope(taskEndpoints.status.scopes, { taskId: id }));
  const visible = reasons.filter((reason) => {
    const requiredBy = "requiredBy" in reason ? reason.requiredBy : undefined;
    if (!mayReadTask(reason.taskId) || (requiredBy !== undefined && !mayReadTask(requiredBy))) {
      missing.add(ofTasks);
      return false;
    }
    return !lacks(...neededFor(reason));
  });
  if (missing.size === 0) return reasons;
  const hidesWorkers = [...missing].some((scope) => !/^queue:(status|list-task-group):/.test(scope));
  const rest = visible.filter(({ code }) => {
    // Counts of dependencies by state are facts about each of them.
    if (code === "dependencies-unmet") return !missing.has(ofTasks);
    // When a run will be claimed is unknown because of the workers.
    return code !== "unknown" || !hidesWorkers;
  });
  const list = [...missing].sort();
  const hidden: Reason = {
    code: "hidden",
    summary: `Reasons are left out that need scopes which the caller lacks: ${list.join(", ")}.`,
    taskId,
    scopes: list,
  };
  return [...rest, hidden];
}

/** Returns the scopes of the methods that return what the reason says, apart from the status of its task. */
function neededFor(reason: Reason): readonly string[] {
  switch (reason.code) {
    case "position":
    case "priority":
      return ofCounts(reason.taskQueueId);
    case "no-worker":
    case "workers-quarantined":
    case "workers":
    case "claim-rate":
      return ofWorkers(reason.taskQueueId);
    case "group-sealed":
      return [fillScope(groupEndpoints.listTaskGroup.scopes, { taskGroupId: reason.taskGroupId })];
    default:
      return [];
  }
}
