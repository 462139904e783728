// The log records of the queue, by message.
import type { LogDefinitions } from "../../core/log-definitions.ts";

const taskId = "The task";
const run = { taskId, runId: "The number of the run" };
const worker = { workerGroup: "The group of the worker", workerId: "The id of the worker" };
const resolved = { ...run, reasonResolved: "The reason of the resolution" };
const group = { taskGroupId: "The task group", schedulerId: "The scheduler of the group" };

export const logs = {
  "task-defined": { name: "taskDefined", level: "debug", title: "A task was created", fields: { taskId } },
  "task-pending": { name: "taskPending", level: "debug", title: "A run became pending", fields: run },
  "task-running": { name: "taskRunning", level: "debug", title: "A run started", fields: run },
  "task-claimed": {
    name: "taskClaimed",
    level: "debug",
    title: "A worker claimed a run",
    fields: { ...run, ...worker, taskQueueId: "The task queue of the worker" },
  },
  "task-reclaimed": {
    name: "taskReclaimed",
    level: "debug",
    title: "A worker extended its claim",
    fields: { ...run, ...worker },
  },
  "task-completed": {
    name: "taskCompleted",
    level: "debug",
    title: "A run was resolved as completed",
    fields: resolved,
  },
  "task-failed": {
    name: "taskFailed",
    level: "debug",
    title: "A run was resolved as failed",
    fields: resolved,
  },
  "task-exception": {
    name: "taskException",
    level: "debug",
    title: "A run was resolved as exception",
    fields: resolved,
  },
  "task-priority-changed": {
    name: "taskPriorityChanged",
    level: "debug",
    title: "The priority of a task was changed",
    fields: { taskId, oldPriority: "The priority before", newPriority: "The priority now" },
  },
  "task-group-sealed": {
    name: "taskGroupSealed",
    level: "debug",
    title: "A task group was sealed",
    fields: group,
  },
  "task-group-cancelled": {
    name: "taskGroupCancelled",
    level: "debug",
    title: "The tasks of a group were canceled",
    fields: {
      ...group,
      taskGroupSize: "The number of tasks in the group",
      cancelledCount: "The number of tasks that were canceled",
    },
  },
  "task-group-priority-changed": {
    name: "taskGroupPriorityChanged",
    level: "debug",
    title: "The priority of a group's tasks was changed",
    fields: { ...group, newPriority: "The priority now", tasksAffected: "The number of tasks changed" },
  },
  "task-resolved-by-worker-removed": {
    name: "taskResolvedByWorkerRemoved",
    level: "info",
    title: "A run was resolved because its worker was removed",
    fields: { ...run, ...worker, workerPoolId: "The pool of the worker" },
  },
  "expired-artifacts-removed": {
    name: "expiredArtifactsRemoved",
    level: "info",
    title: "Expired artifacts were removed",
    fields: { count: "The number of artifacts" },
  },
} as const satisfies LogDefinitions;
