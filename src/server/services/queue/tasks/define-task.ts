// From what createTask was given to the definition that is stored: defaults, and the rules a schema cannot say.
import { PRIORITIES, type Priority, type TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { jsonOf } from "../../../core/json.ts";
import type { NewTask } from "./store/insert-tasks.ts";

export interface DefinitionRules {
  readonly now: number;
  /** How far `created` may be off, and how much later than the limit a deadline may be. Milliseconds. */
  readonly toleranceMs: number;
  readonly maxDeadlineMs: number;
  readonly maxDependencies: number;
}

/** A rule that a definition breaks: where in it (`routes[2]`), what is wrong, and what would be right. */
export interface DefinitionFault {
  readonly path: string;
  readonly message: string;
}
type Report = (path: string, message: string) => void;

export interface NamedTaskQueue {
  readonly taskQueueId: string;
  readonly provisionerId: string;
  readonly workerType: string;
}

/** The queue that a definition names, by its id or by its halves. Throws where it names none, or two. */
export function taskQueueOf(body: TaskDefinitionRequest): NamedTaskQueue {
  const found = findTaskQueue(body);
  if ("message" in found) throw new ApiError("InputError", found.message);
  return found;
}

/** The same, with the fault as a value. */
export function findTaskQueue(body: TaskDefinitionRequest): NamedTaskQueue | DefinitionFault {
  const { taskQueueId, provisionerId, workerType } = body;
  if (taskQueueId !== undefined) {
    if (
      provisionerId !== undefined &&
      workerType !== undefined &&
      `${provisionerId}/${workerType}` !== taskQueueId
    )
      return {
        path: "taskQueueId",
        message: `taskQueueId must match "provisionerId/workerType": taskQueueId is "${taskQueueId}", but the other two say "${provisionerId}/${workerType}". Give only taskQueueId, or make them agree.`,
      };
    const slash = taskQueueId.indexOf("/");
    return {
      taskQueueId,
      provisionerId: taskQueueId.slice(0, slash),
      workerType: taskQueueId.slice(slash + 1),
    };
  }
  if (provisionerId === undefined || workerType === undefined)
    return {
      path: "taskQueueId",
      message: "The definition names no task queue: give taskQueueId, or both provisionerId and workerType.",
    };
  return { taskQueueId: `${provisionerId}/${workerType}`, provisionerId, workerType };
}

/** A task of the given priority may be created by whoever may create one of that priority or of a higher one. */
export const sufficientPriorities = (priority: Priority): readonly Priority[] =>
  PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1);

/** A priority as a number: 1 (lowest) to 7 (highest). */
export const priorityRank = (priority: Priority): number => PRIORITIES.length - PRIORITIES.indexOf(priority);

const calendarYearAfter = (at: number): number => {
  const date = new Date(at);
  return date.setUTCFullYear(date.getUTCFullYear() + 1);
};

/** Times from here on might be written with five digits of a year, which neither clients nor PostgreSQL read. */
const NO_LATER = Date.UTC(9999, 0);

const iso = (at: number): string => new Date(at).toISOString();

interface Dates {
  readonly created: number;
  readonly deadline: number;
  readonly expires: number;
}

function checkDates(body: TaskDefinitionRequest, rules: DefinitionRules, report: Report): Dates {
  const created = Date.parse(body.created);
  const deadline = Date.parse(body.deadline);
  const { now, toleranceMs, maxDeadlineMs } = rules;
  const minutes = `${toleranceMs / 60_000} minutes`;
  if (created < now - toleranceMs)
    report(
      "created",
      `created (${body.created}) cannot be more than ${minutes} in the past; it is ${iso(now)} here.`,
    );
  if (created > now + toleranceMs)
    report(
      "created",
      `created (${body.created}) cannot be more than ${minutes} in the future; it is ${iso(now)} here.`,
    );
  if (created > deadline)
    report("deadline", `deadline (${body.deadline}) cannot be before created (${body.created}).`);
  if (deadline < now)
    report("deadline", `deadline (${body.deadline}) cannot be in the past; it is ${iso(now)} here.`);
  if (deadline - now > maxDeadlineMs + toleranceMs)
    report(
      "deadline",
      `deadline (${body.deadline}) cannot be more than ${maxDeadlineMs / 86_400_000} days in the future.`,
    );
  const expires = body.expires === undefined ? calendarYearAfter(deadline) : Date.parse(body.expires);
  if (deadline > expires)
    report("expires", `expires (${body.expires}) cannot be before deadline (${body.deadline}).`);
  if (expires >= NO_LATER)
    report(
      "expires",
      `expires (${body.expires}) must be before the year ${new Date(NO_LATER).getUTCFullYear()}.`,
    );
  return { created, deadline, expires };
}

/** AMQP takes routing keys of 255 bytes, of which `route.` is six. */
const MAX_ROUTE_BYTES = 249;

function checkRoutes(routes: readonly string[], report: Report): void {
  for (const [i, route] of routes.entries()) {
    const at = `routes[${i}] (${JSON.stringify(route)})`;
    if (/[\0\p{Surrogate}]/u.test(route))
      report(
        `routes[${i}]`,
        `${at} contains a character that cannot be sent: NUL, or half of a surrogate pair.`,
      );
    const length = Buffer.byteLength(route);
    if (length > MAX_ROUTE_BYTES)
      report(
        `routes[${i}]`,
        `${at} takes ${length} bytes in UTF-8, and may take no more than ${MAX_ROUTE_BYTES}.`,
      );
  }
}

/** The task to store, as `checkDefinition` says. Throws `InputError` with the first rule that it breaks. */
export function defineTask(taskId: string, body: TaskDefinitionRequest, rules: DefinitionRules): NewTask {
  const checked = checkDefinition(taskId, body, rules);
  if ("taskId" in checked) return checked;
  throw new ApiError("InputError", checked[0]?.message ?? "The definition is not valid.");
}

/**
 * The task to store, or every rule that it breaks. `body` has passed its schema, whose defaults are filled in; the
 * `??` are for the compiler and for callers inside the process.
 */
export function checkDefinition(
  taskId: string,
  body: TaskDefinitionRequest,
  rules: DefinitionRules,
): NewTask | readonly DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  const queue = findTaskQueue(body);
  if ("message" in queue) faults.push(queue);
  const dates = checkDates(body, rules, report);
  const dependencies = body.dependencies ?? [];
  if (dependencies.length > rules.maxDependencies)
    report(
      "dependencies",
      `The task has ${dependencies.length} dependencies, and may have no more than ${rules.maxDependencies} here.`,
    );
  const scopes = body.scopes ?? [];
  const doubled = scopes.findIndex((scope) => scope.endsWith("**"));
  if (doubled >= 0)
    report(
      `scopes[${doubled}]`,
      `scopes[${doubled}] ("${scopes[doubled]}") ends in "**", which is never meant: a single "*" at the end matches everything.`,
    );
  const routes = body.routes ?? [];
  checkRoutes(routes, report);
  if (faults.length > 0 || "message" in queue) return faults;
  const created = iso(dates.created);
  const deadline = iso(dates.deadline);
  const expires = iso(dates.expires);
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
    created,
    deadline,
    expires,
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
    deadline,
    expires,
    routes,
    tags: jsonOf(definition.tags),
    definition: jsonOf(definition),
  };
}
