// createTask: checks what the schema cannot, then writes the task, its group, edges, first run and events in one
// statement.
import { isDeepStrictEqual } from "node:util";
import { taskEndpoints } from "../../../../api/queue/endpoints/tasks.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson, type Json } from "../../../core/json.ts";
import type { QueueContext } from "../context.ts";
import { recordDefined } from "../transition-log.ts";
import { readGroup } from "../groups/store/read-group.ts";
import { completeRequest } from "./complete-request.ts";
import { defineTask as buildTask, rulesOf } from "./define-task.ts";
import type { CreatedRow, NewTask } from "./store/insert-tasks.ts";
import { publishDefinedAgain } from "./store/publish-again.ts";
import { readDefinitions, readTasks } from "./store/read-tasks.ts";
import { scopeParams } from "./task-scopes.ts";
import { createTaskWriter } from "./write-task.ts";

export type CreateTask = ReturnType<typeof createTask>;

/** Creates a task. `definition` matches the schema of the method. */
export function createTask(ctx: QueueContext) {
  const write = createTaskWriter(ctx);
  return async (
    caller: Caller,
    taskId: string,
    definition: TaskDefinitionRequest,
  ): Promise<Json<TaskStatus>> => {
    const request = completeRequest(taskId, definition);
    caller.authorize(taskEndpoints.createTask, scopeParams(request));
    const task = buildTask(request, rulesOf(ctx));
    const written = await write(task);
    if (written.status !== null) {
      recordDefined(ctx, taskId, written.pending_in !== null);
      return written.status;
    }
    if (written.outcome === "exists") return repeat(ctx, task);
    throw await refusal(ctx, task, written);
  };
}

/** defineTask, deprecated: creates a task that depends on itself, so that it waits for scheduleTask. */
export const defineTask =
  (create: CreateTask) =>
  (caller: Caller, taskId: string, definition: TaskDefinitionRequest): Promise<Json<TaskStatus>> => {
    const dependencies = new Set([...(definition.dependencies ?? []), taskId]);
    return create(caller, taskId, { ...definition, dependencies: [...dependencies] });
  };

/** The id is taken: by the same task, whose events are published again, or by another one, which is a conflict. */
async function repeat(ctx: QueueContext, task: NewTask): Promise<Json<TaskStatus>> {
  const group = await readGroup(ctx.db, task.taskGroupId);
  if (group && (group.sealed !== null || group.scheduler_id !== task.schedulerId))
    throw groupRefusal(task, group);
  const [known] = await readDefinitions(ctx.db, [task.taskId]);
  // Not compared as jsonb, which accepts neither NUL nor half a surrogate pair in a text.
  if (!known || !isDeepStrictEqual(parseJson(known.definition), parseJson(task.definition)))
    throw new ApiError(
      "RequestConflict",
      `taskId ${task.taskId} already used by another task: a task with this id exists, and its definition is a different one. Choose a new id, or repeat the call with the same definition.`,
    );
  await publishDefinedAgain(ctx.db, task.taskId, task.taskQueueId);
  const [row] = await readTasks(ctx.db, [task.taskId]);
  if (!row)
    throw new ApiError(
      "ResourceNotFound",
      `Task ${task.taskId} expired during the call: create a task with a later expiry.`,
    );
  return row.status;
}

async function refusal(ctx: QueueContext, task: NewTask, written: CreatedRow): Promise<Error> {
  const about = (written.about ?? []).map((id) => `\n  * ${id}`).join("");
  if (written.outcome === "missing-dependencies")
    return new ApiError(
      "InputError",
      `The definition references non-existing tasks in its dependencies; create them first:${about}`,
    );
  if (written.outcome === "expiring-dependencies")
    return new ApiError(
      "InputError",
      `Dependencies of the task expire before its deadline (${task.deadline}); bring the deadline forward, or let them expire later:${about}`,
    );
  const group = await readGroup(ctx.db, task.taskGroupId);
  return group
    ? groupRefusal(task, group)
    : new ApiError("RequestConflict", `Task group ${task.taskGroupId} changed at the same time; try again.`);
}

function groupRefusal(task: NewTask, group: { scheduler_id: string; sealed: Date | null }): ApiError {
  return group.scheduler_id !== task.schedulerId
    ? new ApiError(
        "RequestConflict",
        `Task group ${task.taskGroupId} contains tasks with schedulerId "${group.scheduler_id}"; this task has schedulerId "${task.schedulerId}". All tasks of a group must have the same.`,
      )
    : new ApiError(
        "RequestConflict",
        `Task group ${task.taskGroupId} was sealed at ${group.sealed?.toISOString()}: no task can be added to it. Choose another group.`,
      );
}
