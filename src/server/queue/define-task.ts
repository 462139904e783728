// From what createTask was given to the definition that is stored: defaults, and the rules a schema cannot say.
import { PRIORITIES, type Priority, type TaskDefinitionRequest } from "../../api/queue/task.ts";
import { ApiError } from "../../lib/errors.ts";
import type { NewTask } from "./store/create.ts";

export interface DefinitionRules {
  readonly now: number;
  /** How far `created` may be off, and how much later than the limit a deadline may be. Milliseconds. */
  readonly toleranceMs: number;
  readonly maxDeadlineMs: number;
  readonly maxDependencies: number;
}

const refuse = (message: string): never => {
  throw new ApiError("InputError", message);
};

/** The queue that a definition names, by its id or by its halves. */
export function taskQueueOf(body: TaskDefinitionRequest): {
  taskQueueId: string;
  provisionerId: string;
  workerType: string;
} {
  const { taskQueueId, provisionerId, workerType } = body;
  if (taskQueueId !== undefined) {
    if (
      provisionerId !== undefined &&
      workerType !== undefined &&
      `${provisionerId}/${workerType}` !== taskQueueId
    )
      refuse(
        `taskQueueId must match "provisionerId/workerType": taskQueueId is "${taskQueueId}", but the other two say "${provisionerId}/${workerType}". Give only taskQueueId, or make them agree.`,
      );
    const slash = taskQueueId.indexOf("/");
    return {
      taskQueueId,
      provisionerId: taskQueueId.slice(0, slash),
      workerType: taskQueueId.slice(slash + 1),
    };
  }
  if (provisionerId === undefined || workerType === undefined)
    return refuse(
      "The definition names no task queue: give taskQueueId, or both provisionerId and workerType.",
    );
  return { taskQueueId: `${provisionerId}/${workerType}`, provisionerId, workerType };
}

/** A task of the given priority may be created by whoever may create one of that priority or of a higher one. */
export const sufficientPriorities = (priority: Priority): readonly Priority[] =>
  PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1);

/** A priority as a number: 1 (lowest) to 7 (highest). */
export const priorityRank = (priority: Priority): number => PRIORITIES.length - PRIORITIES.indexOf(priority);

function instant(name: string, text: string): number {
  const at = Date.parse(text);
  return Number.isNaN(at) ? refuse(`${name} is not a time that exists: "${text}".`) : at;
}

const calendarYearAfter = (at: number): number => {
  const date = new Date(at);
  return date.setUTCFullYear(date.getUTCFullYear() + 1);
};

/** Times from here on might be written with five digits of a year, which neither clients nor PostgreSQL read. */
const NO_LATER = Date.UTC(9999, 0);

const iso = (at: number): string => new Date(at).toISOString();

function checkedDates(
  body: TaskDefinitionRequest,
  rules: DefinitionRules,
): { created: string; deadline: string; expires: string } {
  const created = instant("created", body.created);
  const deadline = instant("deadline", body.deadline);
  const { now, toleranceMs, maxDeadlineMs } = rules;
  const minutes = `${toleranceMs / 60_000} minutes`;
  if (created < now - toleranceMs)
    refuse(`created (${body.created}) cannot be more than ${minutes} in the past; it is ${iso(now)} here.`);
  if (created > now + toleranceMs)
    refuse(`created (${body.created}) cannot be more than ${minutes} in the future; it is ${iso(now)} here.`);
  if (created > deadline) refuse(`deadline (${body.deadline}) cannot be before created (${body.created}).`);
  if (deadline < now) refuse(`deadline (${body.deadline}) cannot be in the past; it is ${iso(now)} here.`);
  if (deadline - now > maxDeadlineMs + toleranceMs)
    refuse(
      `deadline (${body.deadline}) cannot be more than ${maxDeadlineMs / 86_400_000} days in the future.`,
    );
  const expires = body.expires === undefined ? calendarYearAfter(deadline) : instant("expires", body.expires);
  if (deadline > expires) refuse(`expires (${body.expires}) cannot be before deadline (${body.deadline}).`);
  if (expires >= NO_LATER)
    refuse(`expires (${body.expires}) must be before the year ${new Date(NO_LATER).getUTCFullYear()}.`);
  return { created: iso(created), deadline: iso(deadline), expires: iso(expires) };
}

/** AMQP takes routing keys of 255 bytes, of which `route.` is six. */
const MAX_ROUTE_BYTES = 249;

function checkRoutes(routes: readonly string[]): void {
  for (const [i, route] of routes.entries()) {
    const at = `routes[${i}] (${JSON.stringify(route)})`;
    if (/[\0\p{Surrogate}]/u.test(route))
      refuse(`${at} contains a character that cannot be sent: NUL, or half of a surrogate pair.`);
    const length = Buffer.byteLength(route);
    if (length > MAX_ROUTE_BYTES)
      refuse(`${at} takes ${length} bytes in UTF-8, and may take no more than ${MAX_ROUTE_BYTES}.`);
  }
}

/**
 * The task to store. `body` has passed its schema, whose defaults are filled in; the `??` are for the compiler
 * and for callers inside the process.
 */
export function defineTask(taskId: string, body: TaskDefinitionRequest, rules: DefinitionRules): NewTask {
  const queue = taskQueueOf(body);
  const dates = checkedDates(body, rules);
  const dependencies = body.dependencies ?? [];
  if (dependencies.length > rules.maxDependencies)
    refuse(
      `The task has ${dependencies.length} dependencies, and may have no more than ${rules.maxDependencies} here.`,
    );
  const scopes = body.scopes ?? [];
  const doubled = scopes.findIndex((scope) => scope.endsWith("**"));
  if (doubled >= 0)
    refuse(
      `scopes[${doubled}] ("${scopes[doubled]}") ends in "**", which is never meant: a single "*" at the end matches everything.`,
    );
  const routes = body.routes ?? [];
  checkRoutes(routes);
  const priority = body.priority ?? "lowest";
  const definition = {
    provisionerId: queue.provisionerId,
    workerType: queue.workerType,
    taskQueueId: queue.taskQueueId,
    schedulerId: body.schedulerId ?? "-",
    projectId: body.projectId ?? "none",
    taskGroupId: body.taskGroupId ?? taskId,
    dependencies,
    requires: body.requires ?? "all-completed",
    routes,
    priority,
    retries: body.retries ?? 5,
    ...dates,
    scopes,
    payload: body.payload,
    metadata: body.metadata,
    tags: body.tags ?? {},
    extra: body.extra ?? {},
  };
  return {
    taskId,
    taskGroupId: definition.taskGroupId,
    taskQueueId: queue.taskQueueId,
    schedulerId: definition.schedulerId,
    projectId: definition.projectId,
    priority: priorityRank(priority),
    retries: definition.retries,
    anyResolution: definition.requires === "all-resolved",
    dependencies,
    deadline: dates.deadline,
    expires: dates.expires,
    routes,
    tags: JSON.stringify(definition.tags),
    definition: JSON.stringify(definition),
  };
}
