// Checks the rules for definitions that a schema cannot express, and builds the task to store.
import { PRIORITIES, type Priority } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { jsonOf } from "../../../core/json.ts";
import type { QueueContext } from "../context.ts";
import type { CompleteTaskRequest, DefinitionFault } from "./complete-request.ts";
import type { NewTask } from "./store/insert-tasks.ts";

export interface DefinitionRules {
  readonly now: number;
  /** How far `created` may deviate, and how much later than the limit a deadline may be. Milliseconds. */
  readonly toleranceMs: number;
  readonly maxDeadlineMs: number;
  readonly maxDependencies: number;
}

/** Returns the rules that apply now. */
export const rulesOf = ({ clock, config }: Pick<QueueContext, "clock" | "config">): DefinitionRules => ({
  now: clock.now(),
  toleranceMs: config.deadlineTolerance,
  maxDeadlineMs: config.maxTaskDeadline,
  maxDependencies: config.maxDependencies,
});

type Report = (path: string, message: string) => void;

/** Returns a priority as a number: 1 (lowest) to 7 (highest). */
export const priorityRank = (priority: Priority): number => PRIORITIES.length - PRIORITIES.indexOf(priority);

/** From here on, a year may be written with five digits, which neither clients nor PostgreSQL parse. */
const NO_LATER = Date.UTC(9999, 0);

const iso = (at: number): string => new Date(at).toISOString();

interface Dates {
  readonly created: number;
  readonly deadline: number;
  readonly expires: number;
}

function checkDates(request: CompleteTaskRequest, rules: DefinitionRules, report: Report): Dates {
  const created = Date.parse(request.created);
  const deadline = Date.parse(request.deadline);
  const { now, toleranceMs, maxDeadlineMs } = rules;
  const minutes = `${toleranceMs / 60_000} minutes`;
  if (created < now - toleranceMs)
    report(
      "created",
      `created (${request.created}) cannot be more than ${minutes} in the past; it is ${iso(now)} here.`,
    );
  if (created > now + toleranceMs)
    report(
      "created",
      `created (${request.created}) cannot be more than ${minutes} in the future; it is ${iso(now)} here.`,
    );
  if (created > deadline)
    report("deadline", `deadline (${request.deadline}) cannot be before created (${request.created}).`);
  if (deadline < now)
    report("deadline", `deadline (${request.deadline}) cannot be in the past; it is ${iso(now)} here.`);
  if (deadline - now > maxDeadlineMs + toleranceMs)
    report(
      "deadline",
      `deadline (${request.deadline}) cannot be more than ${maxDeadlineMs / 86_400_000} days in the future.`,
    );
  const expires = Date.parse(request.expires);
  if (deadline > expires)
    report("expires", `expires (${request.expires}) cannot be before deadline (${request.deadline}).`);
  if (expires >= NO_LATER)
    report(
      "expires",
      `expires (${request.expires}) must be before the year ${new Date(NO_LATER).getUTCFullYear()}.`,
    );
  return { created, deadline, expires };
}

/** AMQP limits routing keys to 255 bytes, of which `route.` takes six. */
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

/** Returns the task to store. Throws `InputError` with the first rule that it violates. */
export function defineTask(request: CompleteTaskRequest, rules: DefinitionRules): NewTask {
  const checked = checkDefinition(request, rules);
  if ("taskId" in checked) return checked;
  // oxlint-disable-next-line messages/next-step -- the rules above state what would be right
  throw new ApiError("InputError", checked[0]?.message ?? "The definition is not valid.");
}

/** Returns the task to store, or every rule that it violates. */
export function checkDefinition(
  request: CompleteTaskRequest,
  rules: DefinitionRules,
): NewTask | readonly DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  const { taskId, taskQueue, dependencies, scopes, routes } = request;
  if ("message" in taskQueue) faults.push(taskQueue);
  const dates = checkDates(request, rules, report);
  if (dependencies.length > rules.maxDependencies)
    report(
      "dependencies",
      `The task has ${dependencies.length} dependencies, and may have no more than ${rules.maxDependencies} here.`,
    );
  const doubled = scopes.findIndex((scope) => scope.endsWith("**"));
  if (doubled >= 0)
    report(
      `scopes[${doubled}]`,
      `scopes[${doubled}] ("${scopes[doubled]}") ends in "**", which is never meant: a single "*" at the end matches everything.`,
    );
  checkRoutes(routes, report);
  if (faults.length > 0 || "message" in taskQueue) return faults;
  const { schedulerId, projectId, taskGroupId, requires, priority, retries } = request;
  const created = iso(dates.created);
  const deadline = iso(dates.deadline);
  const expires = iso(dates.expires);
  const { taskQueueId } = taskQueue;
  return {
    taskId,
    taskGroupId,
    taskQueueId,
    schedulerId,
    projectId,
    priority: priorityRank(priority),
    retries,
    anyResolution: requires === "all-resolved",
    dependencies,
    deadline,
    expires,
    routes,
    tags: jsonOf(request.tags),
    // The members in their documented order.
    definition: jsonOf({
      provisionerId: taskQueue.provisionerId,
      workerType: taskQueue.workerType,
      taskQueueId,
      schedulerId,
      projectId,
      taskGroupId,
      dependencies,
      requires,
      routes,
      priority,
      retries,
      created,
      deadline,
      expires,
      scopes,
      payload: request.payload,
      metadata: request.metadata,
      tags: request.tags,
      extra: request.extra,
    }),
  };
}
