// The scopes that creating tasks requires: of one task, of many tasks together, and of each member of a definition.
import { createTaskScope } from "../../../../api/queue/create-task-scopes.ts";
import { PRIORITIES, type Priority } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { fillScope } from "../../../../lib/scopes/render.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import type { CompleteTaskRequest, TaskQueue } from "./complete-request.ts";

/** Returns the priorities of which one must be permitted for a task of the given one: itself, and all higher ones. */
const sufficientPriorities = (priority: Priority): readonly Priority[] =>
  PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1);

/** Fills the holes in the scopes of createTask. Throws `InputError` if the request names no valid queue. */
export function scopeParams({
  scopes,
  routes,
  projectId,
  schedulerId,
  priority,
  taskQueue,
}: CompleteTaskRequest) {
  // oxlint-disable-next-line messages/next-step -- complete-request.ts states what would be right
  if ("message" in taskQueue) throw new ApiError("InputError", taskQueue.message);
  const { provisionerId, workerType } = taskQueue;
  const priorities = sufficientPriorities(priority);
  return { scopes, routes, projectId, schedulerId, priorities, provisionerId, workerType };
}

/**
 * Fills the holes in the scopes of createTasks. A queue is listed once, with the highest priority of its tasks: a caller
 * that may create those may create the others. Of the scopes that suffice for it the one that `held` covers is listed, or
 * else that of exactly this priority. Queues that are not valid are left out.
 */
export function scopeParamsOfAll(requests: Iterable<CompleteTaskRequest>, held: ScopeSet) {
  const scopes = new Set<string>();
  const routes = new Set<string>();
  const projectIds = new Set<string>();
  const schedulerIds = new Set<string>();
  const highest = new Map<string, { readonly queue: TaskQueue; readonly rank: number }>();
  for (const request of requests) {
    for (const scope of request.scopes) scopes.add(scope);
    for (const route of request.routes) routes.add(route);
    projectIds.add(request.projectId);
    schedulerIds.add(request.schedulerId);
    const queue = request.taskQueue;
    if ("message" in queue) continue;
    const rank = PRIORITIES.indexOf(request.priority);
    const known = highest.get(queue.taskQueueId);
    if (known === undefined || rank < known.rank) highest.set(queue.taskQueueId, { queue, rank });
  }
  const queues = [...highest.values()].map(({ queue, rank }) => {
    const own = PRIORITIES[rank] ?? "lowest";
    const covered = sufficientPriorities(own).find((priority) =>
      held.satisfies(fillScope(createTaskScope.queue, { priority, ...queue })),
    );
    return `${covered ?? own}:${queue.taskQueueId}`;
  });
  return {
    scopes: [...scopes],
    routes: [...routes],
    projectIds: [...projectIds],
    schedulerIds: [...schedulerIds],
    queues,
  };
}

/** The scopes of which one is required for a member (`routes[2]`); the last is the narrowest. */
export interface MemberScopes {
  readonly member: string;
  readonly sufficient: readonly string[];
}

/** Yields the same scopes as `scopeParams`, for each member, for refusals that say where they are needed. */
export function* scopesByMember(request: CompleteTaskRequest): Generator<MemberScopes, void, undefined> {
  const { scopes, routes, projectId, schedulerId, priority, taskQueue } = request;
  for (const [i, scope] of scopes.entries()) yield { member: `scopes[${i}]`, sufficient: [scope] };
  for (const [i, route] of routes.entries())
    yield { member: `routes[${i}]`, sufficient: [fillScope(createTaskScope.route, { route })] };
  yield { member: "projectId", sufficient: [fillScope(createTaskScope.project, { projectId })] };
  yield { member: "schedulerId", sufficient: [fillScope(createTaskScope.scheduler, { schedulerId })] };
  if ("message" in taskQueue) return;
  yield {
    member: "taskQueueId",
    sufficient: sufficientPriorities(priority).map((one) =>
      fillScope(createTaskScope.queue, { priority: one, ...taskQueue }),
    ),
  };
}
