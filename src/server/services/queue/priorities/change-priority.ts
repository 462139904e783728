// changeTaskPriority and changeTaskGroupPriority: which tasks are claimed first, changed after they were created.
import { priorityEndpoints } from "../../../../api/queue/endpoints/priorities.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { Priority } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { readAuthorized } from "../../../core/authorize-found.ts";
import type { Caller } from "../../../core/caller.ts";
import { column } from "../../../core/columns.ts";
import { parseJson, type Json } from "../../../core/json.ts";
import { batched } from "../batched.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { priorityRank } from "../tasks/define-task.ts";
import { groupFinding, refuseAfterDeadline, requireTask, taskFinding } from "../tasks/find-task.ts";
import type { TaskRow } from "../tasks/store/read-tasks.ts";
import { record } from "../transition-log.ts";
import {
  logGroupPriority,
  changeableMembers,
  changePriorities,
  lockForPriority,
  type ChangedRow,
  type PriorityChange,
} from "./store.ts";

/** Tasks that one transaction changes. */
const BATCH = 200;

/** Changes the priority of a task. Returns null if it cannot be changed or is the same. */
type Reprioritize = (change: PriorityChange) => Promise<ChangedRow | null>;

export function createReprioritizer(ctx: QueueContext): Reprioritize {
  return batched<PriorityChange, ChangedRow | null>(ctx, {
    name: "change-priority",
    maxBatch: BATCH,
    key: ({ taskId }) => taskId,
    run: async (changes) => {
      const rows = await ctx.db.tx(async (tx) => {
        await lockForPriority(tx, column(changes, "taskId"));
        return changePriorities(tx, changes, timestamp(ctx));
      });
      const changed = new Map(rows.map((row) => [row.task_id, row]));
      return changes.map(({ taskId }) => changed.get(taskId) ?? null);
    },
  });
}

export const changeTaskPriority =
  (ctx: QueueContext, reprioritize: Reprioritize) =>
  async (caller: Caller, taskId: string, newPriority: Priority): Promise<Json<TaskStatus>> => {
    const finding = taskFinding(ctx, taskId, (found) => ({ taskId, taskQueueId: found.task_queue_id }));
    const task = await readAuthorized(caller, priorityEndpoints.changeTaskPriority, finding);
    refuseAfterDeadline(ctx, task);
    const changed = await reprioritize({ taskId, priority: priorityRank(newPriority), announce: true });
    if (changed) {
      record(ctx, "task-priority-changed", { taskId, oldPriority: changed.old_priority, newPriority });
      return changed.status;
    }
    const now = await requireTask(ctx.db, taskId);
    refuseAfterDeadline(ctx, now);
    // oxlint-disable-next-line messages/next-step -- nothing can be done for a resolved task
    throw new ApiError(
      "RequestConflict",
      `Task ${taskId} cannot be reprioritized: ${whyNot(now, newPriority)}`,
    );
  };

/** Explains why a task was not given a priority. */
function whyNot(task: TaskRow, newPriority: Priority): string {
  const { priority, runs } = parseJson(task.status);
  const reruns = runs.some(({ runId, reasonCreated }) => runId > 0 && reasonCreated === "rerun");
  if (reruns || runs.at(-1)?.resolved !== undefined)
    return "it is already resolved, or was before it was run again.";
  if (priority === newPriority) return `it has the priority "${newPriority}" already.`;
  return "it is being changed by others at the same time; try again.";
}

export const changeTaskGroupPriority =
  (ctx: QueueContext, reprioritize: Reprioritize) =>
  async (caller: Caller, taskGroupId: string, newPriority: Priority) => {
    const group = await readAuthorized(
      caller,
      priorityEndpoints.changeTaskGroupPriority,
      groupFinding(ctx, taskGroupId),
    );
    const priority = priorityRank(newPriority);
    const taskIds: string[] = [];
    for (let after = "", more = true; more;) {
      const members = await changeableMembers(ctx.db, taskGroupId, after, priority, timestamp(ctx), BATCH);
      const changed = await Promise.all(
        members.map(({ task_id: taskId }) => reprioritize({ taskId, priority, announce: false })),
      );
      for (const row of changed) if (row) taskIds.push(row.task_id);
      after = members.at(-1)?.task_id ?? "";
      more = members.length === BATCH;
    }
    // Also when nothing was left to change: the repetition of a call that failed half-way publishes the event for it.
    await logGroupPriority(ctx.db, group, newPriority, taskIds.length);
    const outcome = {
      taskGroupId,
      schedulerId: group.scheduler_id,
      newPriority,
      tasksAffected: taskIds.length,
    };
    record(ctx, "task-group-priority-changed", outcome);
    return { ...outcome, taskIds };
  };
