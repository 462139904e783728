// The checks of a call's tasks that need nothing but the tasks.
import { NewTask as NewTaskSchema, type NewTask as TaskOfCall } from "../../../../api/queue/graph.ts";
import { elementCheck } from "../../../core/schema-check.ts";
import type { TimeSlice } from "../../../core/time-slice.ts";
import { completeRequest, type CompleteTaskRequest } from "../tasks/complete-request.ts";
import { checkDefinition, type DefinitionRules } from "../tasks/define-task.ts";
import type { NewTask } from "../tasks/store/insert-tasks.ts";
import type { Faults } from "./faults.ts";
import { findCycles } from "./find-cycles.ts";

/** A task that is valid by itself, and its place in the call. */
export interface CheckedTask {
  readonly index: number;
  readonly task: NewTask;
}

export interface CheckedTasks {
  /** Tasks that match the schema, by their place. Scopes are required for these. */
  readonly readable: ReadonlyMap<number, CompleteTaskRequest>;
  readonly sound: readonly CheckedTask[];
  /** The places of all ids of the call. */
  readonly places: ReadonlyMap<string, number>;
}

/** More tasks of a cycle are only counted. */
const MAX_SHOWN = 50;

const schemaFaults = elementCheck(NewTaskSchema);

export async function checkTasks(
  tasks: readonly unknown[],
  rules: DefinitionRules,
  faults: Faults,
  slice: TimeSlice,
): Promise<CheckedTasks> {
  const readable = new Map<number, CompleteTaskRequest>();
  const sound: CheckedTask[] = [];
  const places = new Map<string, number>();
  for (const [index, element] of tasks.entries()) {
    if (slice.isOver()) await slice.next();
    const at = `tasks[${index}]`;
    const found = schemaFaults(element);
    for (const { path, message } of found) faults.add(at + path, "schema", message);
    const taskId = idOf(element);
    const first = taskId === undefined ? undefined : places.get(taskId);
    if (taskId !== undefined && first !== undefined) {
      faults.add(
        `${at}.taskId`,
        "duplicate-id",
        `tasks[${first}] has the same id, ${taskId}: give each its own.`,
      );
      continue;
    }
    if (taskId !== undefined) places.set(taskId, index);
    if (found.length > 0) continue;
    // Its schema was checked just above.
    const given = element as TaskOfCall;
    const request = completeRequest(given.taskId, given.task);
    readable.set(index, request);
    const checked = checkDefinition(request, rules);
    if ("taskId" in checked) sound.push({ index, task: checked });
    else for (const { path, message } of checked) faults.add(`${at}.task.${path}`, "definition", message);
  }
  return { readable, sound, places };
}

/** Checks the tasks of a call against each other: schedulers of groups, expiries, and cycles. */
export async function checkBetween(
  { readable, sound, places }: CheckedTasks,
  faults: Faults,
  slice: TimeSlice,
): Promise<void> {
  const byIndex = new Map(sound.map(({ index, task }) => [index, task]));
  const schedulers = new Map<string, CheckedTask>();
  for (const { index, task } of sound) {
    if (slice.isOver()) await slice.next();
    const first = schedulers.get(task.taskGroupId);
    if (!first) schedulers.set(task.taskGroupId, { index, task });
    else if (first.task.schedulerId !== task.schedulerId)
      faults.add(
        `tasks[${index}].task.schedulerId`,
        "other-scheduler",
        `"${task.schedulerId}" is not "${first.task.schedulerId}", which tasks[${first.index}] has; all tasks of a group have the same.`,
      );
    for (const [i, id] of task.dependencies.entries()) {
      const required = byIndex.get(places.get(id) ?? -1);
      if (required && required.expires < task.deadline)
        faults.add(
          `tasks[${index}].task.dependencies[${i}]`,
          "expiring-dependency",
          `${id} expires (${required.expires}) before the deadline of the task (${task.deadline}); bring the deadline forward, or let it expire later.`,
        );
    }
  }

  const edges: number[][] = Array.from({ length: Math.max(-1, ...places.values()) + 1 }, () => []);
  for (const [index, task] of readable)
    for (const id of task.dependencies) {
      const place = places.get(id);
      if (place !== undefined) edges[index]?.push(place);
    }
  const ids = new Map([...places].map(([id, index]) => [index, id]));
  for (const cycle of await findCycles(edges, slice)) {
    const [index = 0] = cycle;
    const shown = cycle.slice(0, MAX_SHOWN).map((i) => `tasks[${i}] (${ids.get(i) ?? ""})`);
    if (cycle.length > MAX_SHOWN) shown.push(`${cycle.length - MAX_SHOWN} more`);
    faults.add(
      `tasks[${index}].task.dependencies`,
      "cycle",
      `Tasks that wait for each other never start: ${shown.join(" → ")} → tasks[${index}]. Remove one of these dependencies.`,
    );
  }
}

function idOf(element: unknown): string | undefined {
  if (typeof element !== "object" || element === null || !("taskId" in element)) return undefined;
  return typeof element.taskId === "string" ? element.taskId : undefined;
}
