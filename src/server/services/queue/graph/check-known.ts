// The checks of a call's tasks that need the database.
import { isDeepStrictEqual } from "node:util";
import { chunks } from "../../../core/columns.ts";
import type { Queryable } from "../../../core/db.ts";
import { parseJson } from "../../../core/json.ts";
import type { TimeSlice } from "../../../core/time-slice.ts";
import {
  readGroupOwners,
  readKnown,
  readRequired,
  type GroupOwnerRow,
  type RequiredRow,
} from "./store/insert-graph.ts";
import type { CheckedTask } from "./check-tasks.ts";
import type { Faults } from "./faults.ts";

export interface Known {
  /** The tasks of the call that exist already, with the same definition. */
  readonly same: ReadonlySet<string>;
  /** The existing tasks on which new tasks of the call depend. */
  readonly required: ReadonlyMap<string, RequiredRow>;
}

/** Adds the faults that the database shows. `places` has all ids of the call. */
export async function checkKnown(
  db: Queryable,
  sound: readonly CheckedTask[],
  places: ReadonlyMap<string, number>,
  faults: Faults,
  slice: TimeSlice,
): Promise<Known> {
  const same = new Set<string>();
  const taken = new Set<string>();
  for (const some of chunks(sound)) {
    const known = await readKnown(
      db,
      some.map(({ task }) => task),
    );
    const byId = new Map(known.map((row) => [row.task_id, row.definition]));
    for (const { index, task } of some) {
      if (slice.isOver()) await slice.next();
      const definition = byId.get(task.taskId);
      if (definition === undefined) continue;
      if (
        definition === task.definition ||
        (definition !== null && isDeepStrictEqual(parseJson(definition), parseJson(task.definition)))
      )
        same.add(task.taskId);
      else {
        taken.add(task.taskId);
        faults.add(
          `tasks[${index}].taskId`,
          "id-taken",
          `${task.taskId} is already used by another task, whose definition is a different one: choose a new id.`,
        );
      }
    }
  }

  const fresh = sound.filter(({ task }) => !same.has(task.taskId) && !taken.has(task.taskId));
  const outside = new Set<string>();
  for (const { task } of fresh)
    for (const id of task.dependencies) if (!places.has(id) || same.has(id)) outside.add(id);
  const required = new Map<string, RequiredRow>();
  for (const some of chunks([...outside]))
    for (const row of await readRequired(db, some)) required.set(row.task_id, row);

  const groups = new Map<string, GroupOwnerRow>();
  for (const some of chunks([...new Set(fresh.map(({ task }) => task.taskGroupId))]))
    for (const row of await readGroupOwners(db, some)) groups.set(row.task_group_id, row);

  for (const { index, task } of fresh) {
    if (slice.isOver()) await slice.next();
    const at = `tasks[${index}].task`;
    for (const [i, id] of task.dependencies.entries()) {
      if (!outside.has(id)) continue;
      const row = required.get(id);
      if (!row)
        faults.add(
          `${at}.dependencies[${i}]`,
          "unknown-dependency",
          `${id} is not in this call and does not exist: create it before, or with this call.`,
        );
      else if (row.expires < new Date(task.deadline))
        faults.add(
          `${at}.dependencies[${i}]`,
          "expiring-dependency",
          `${id} expires (${row.expires.toISOString()}) before the deadline of the task (${task.deadline}); bring the deadline forward, or depend on another one.`,
        );
    }
    const group = groups.get(task.taskGroupId);
    if (group && group.scheduler_id !== task.schedulerId)
      faults.add(
        `${at}.schedulerId`,
        "other-scheduler",
        `"${task.schedulerId}" is not "${group.scheduler_id}", whose tasks task group ${task.taskGroupId} contains; all tasks of a group have the same.`,
      );
    else if (group?.sealed)
      faults.add(
        `${at}.taskGroupId`,
        "sealed-group",
        `Task group ${task.taskGroupId} was sealed at ${group.sealed.toISOString()}: no task can be added to it.`,
      );
  }
  return { same, required };
}
