// The scopes that a call requires for all of its tasks together, and those that are missing for each task.
import { createTaskScope } from "../../../../api/queue/create-task-scopes.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { PRIORITIES } from "../../../../api/queue/task.ts";
import { fillScope } from "../../../../lib/scopes/render.ts";
import type { ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import { findTaskQueue, sufficientPriorities, type NamedTaskQueue } from "../tasks/define-task.ts";
import type { Faults } from "./faults.ts";

type Tasks = ReadonlyMap<number, TaskDefinitionRequest>;

/** Fills the holes of the method's scopes. */
export interface GraphScopes {
  readonly scopes: readonly string[];
  readonly routes: readonly string[];
  readonly projectIds: readonly string[];
  readonly schedulerIds: readonly string[];
  readonly queues: readonly string[];
}

/**
 * Returns the scopes of all tasks together. A queue is listed once, with the highest priority of its tasks: who may create
 * those may create the others. Of the scopes that suffice for it the one that `held` covers is listed, or else that of
 * exactly this priority.
 */
export function scopesOfTasks(tasks: Tasks, held: ScopeSet): GraphScopes {
  const scopes = new Set<string>();
  const routes = new Set<string>();
  const projectIds = new Set<string>();
  const schedulerIds = new Set<string>();
  const highest = new Map<string, { readonly queue: NamedTaskQueue; readonly rank: number }>();
  for (const task of tasks.values()) {
    for (const scope of task.scopes ?? []) scopes.add(scope);
    for (const route of task.routes ?? []) routes.add(route);
    projectIds.add(task.projectId ?? "none");
    schedulerIds.add(task.schedulerId ?? "-");
    const queue = findTaskQueue(task);
    if ("message" in queue) continue;
    const rank = PRIORITIES.indexOf(task.priority ?? "lowest");
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

/** Adds the scopes that are missing for each task. */
export function addMissingScopes(tasks: Tasks, held: ScopeSet, faults: Faults): void {
  const known = new Map<string, boolean>();
  const lacks = (scope: string): boolean => {
    const holds = known.get(scope) ?? held.satisfies(scope);
    known.set(scope, holds);
    return !holds;
  };
  for (const [index, task] of tasks) {
    const add = (member: string, scope: string): void =>
      faults.add(`tasks[${index}].task.${member}`, "missing-scopes", `The caller lacks ${scope}.`);
    for (const [i, scope] of (task.scopes ?? []).entries()) if (lacks(scope)) add(`scopes[${i}]`, scope);
    for (const [i, route] of (task.routes ?? []).entries()) {
      const scope = fillScope(createTaskScope.route, { route });
      if (lacks(scope)) add(`routes[${i}]`, scope);
    }
    const project = fillScope(createTaskScope.project, { projectId: task.projectId ?? "none" });
    if (lacks(project)) add("projectId", project);
    const scheduler = fillScope(createTaskScope.scheduler, { schedulerId: task.schedulerId ?? "-" });
    if (lacks(scheduler)) add("schedulerId", scheduler);
    const queue = findTaskQueue(task);
    if ("message" in queue) continue;
    const own = task.priority ?? "lowest";
    const ways = sufficientPriorities(own).map((priority) =>
      fillScope(createTaskScope.queue, { priority, ...queue }),
    );
    if (ways.every(lacks))
      add(
        "taskQueueId",
        `${ways.at(-1) ?? ""}${ways.length > 1 ? ", or the same for a higher priority" : ""}`,
      );
  }
}
