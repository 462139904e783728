// The events of the queue. The routing key of a task event names the task, its latest run and worker, queue and group.
import Type from "typebox";
import { exchange, keyWord, primaryWord, reservedWord } from "../exchange.ts";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";
import { GivenPriority } from "./priorities.ts";
import { RunId, TaskStatus, WorkerPart } from "./status.ts";
import { SchedulerId, Slugid, Tags } from "./task.ts";

const Version = Type.Unsafe<1>({ type: "integer", enum: [1] });
const TaggedTask = exactly({ tags: Tags });

/** Task events differ in whether the run and the worker are always known. */
const taskRoutingKey = <const R extends boolean, const W extends boolean>(known: { run: R; worker: W }) => [
  primaryWord,
  keyWord("taskId", "The task.", true),
  keyWord("runId", "The run of the message, or `_` if there is none.", known.run),
  keyWord("workerGroup", "The group of the worker that claimed the run, or `_` if none did.", known.worker),
  keyWord("workerId", "The worker that claimed the run, or `_` if none did.", known.worker),
  keyWord("provisionerId", "The first part of the task queue id.", true),
  keyWord("workerType", "The second part of the task queue id.", true),
  keyWord("schedulerId", "The scheduler of the task.", true),
  keyWord("taskGroupId", "The group of the task.", true),
  reservedWord,
];
const groupRoutingKey = [
  primaryWord,
  keyWord("taskGroupId", "The task group.", true),
  keyWord("schedulerId", "The scheduler that owns the group.", true),
  reservedWord,
];

const base = { version: Version, status: TaskStatus };
const tags = { task: Type.Optional(TaggedTask) };
const workedOn = { runId: RunId, workerGroup: WorkerPart, workerId: WorkerPart };
const maybeWorkedOn = {
  runId: Type.Optional(RunId),
  workerGroup: Type.Optional(WorkerPart),
  workerId: Type.Optional(WorkerPart),
};

export const taskDefined = exchange({
  exchange: "task-defined",
  name: "taskDefined",
  title: "Task defined",
  description: "A task was defined. Precedes every other event of the task.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-defined-message.json", exactly({ ...base, ...tags })),
});
export const taskPending = exchange({
  exchange: "task-pending",
  name: "taskPending",
  title: "Task pending",
  description: "A run of the task is waiting for a worker.",
  routingKey: taskRoutingKey({ run: true, worker: false }),
  message: named("v1/task-pending-message.json", exactly({ ...base, ...tags, runId: RunId })),
});
export const taskRunning = exchange({
  exchange: "task-running",
  name: "taskRunning",
  title: "Task running",
  description:
    "A worker claimed a run. The claim ends at `takenUntil` unless the worker reclaims the run before.",
  routingKey: taskRoutingKey({ run: true, worker: true }),
  message: named(
    "v1/task-running-message.json",
    exactly({ ...base, ...tags, ...workedOn, takenUntil: DateTime }),
  ),
});
export const artifactCreated = exchange({
  exchange: "artifact-created",
  name: "artifactCreated",
  title: "Artifact created",
  description:
    "A run has a new artifact. Not sent for storage type `s3`, because the queue does not observe the end of the upload.",
  routingKey: taskRoutingKey({ run: true, worker: true }),
  message: named(
    "v1/artifact-created-message.json",
    exactly({
      ...base,
      ...workedOn,
      artifact: exactly({
        storageType: oneOfStrings(["reference", "link", "error", "object"]),
        name: Type.String({ maxLength: 1024 }),
        expires: DateTime,
        contentType: Type.String({ maxLength: 255 }),
      }),
    }),
  ),
});
export const taskCompleted = exchange({
  exchange: "task-completed",
  name: "taskCompleted",
  title: "Task completed",
  description: "A worker reported that the task succeeded.",
  routingKey: taskRoutingKey({ run: true, worker: true }),
  message: named("v1/task-completed-message.json", exactly({ ...base, ...tags, ...workedOn })),
});
export const taskFailed = exchange({
  exchange: "task-failed",
  name: "taskFailed",
  title: "Task failed",
  description: "A worker reported that the task ran and failed. Failed tasks are not retried automatically.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-failed-message.json", exactly({ ...base, ...tags, ...workedOn })),
});
export const taskException = exchange({
  exchange: "task-exception",
  name: "taskException",
  title: "Task exception",
  description:
    "A run ended without a result: for example it was canceled, its deadline passed, its worker disappeared or its payload is malformed. `reasonResolved` of the run is the reason. If the task is retried, the runs already include the new one.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-exception-message.json", exactly({ ...base, ...tags, ...maybeWorkedOn })),
});
/** The state of a group after a change. */
const changedGroupFile = named(
  "v1/task-group-changed-message.json",
  exactly({
    version: Version,
    taskGroupId: Slugid,
    schedulerId: SchedulerId,
    expires: DateTime,
    sealed: Type.Optional(DateTime),
  }),
);
export const taskGroupResolved = exchange({
  exchange: "task-group-resolved",
  name: "taskGroupResolved",
  title: "Task group resolved",
  description:
    "Every task of the group has been resolved at least once. Sent again after a rerun, or if tasks are added later.",
  routingKey: groupRoutingKey,
  message: changedGroupFile,
});
export const taskGroupSealed = exchange({
  exchange: "task-group-sealed",
  name: "taskGroupSealed",
  title: "Task group sealed",
  description:
    "No further tasks can be added to the group. Sent for every call of `sealTaskGroup`; `sealed` is the time of the first.",
  routingKey: groupRoutingKey,
  message: changedGroupFile,
});
export const taskPriorityChanged = exchange({
  exchange: "task-priority-changed",
  name: "taskPriorityChanged",
  title: "Task priority changed",
  description: "The priority of the task changed, and with it that of its pending run, if it has one.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named(
    "v1/task-priority-changed-message.json",
    exactly({ ...base, oldPriority: GivenPriority, newPriority: GivenPriority }),
  ),
});
export const taskGroupPriorityChanged = exchange({
  exchange: "task-group-priority-changed",
  name: "taskGroupPriorityChanged",
  title: "Task group priority changed",
  description:
    "The priority of `tasksAffected` tasks of the group, which were never resolved, changed. There is no `taskPriorityChanged` for each of them.",
  routingKey: groupRoutingKey,
  message: named(
    "v1/task-group-priority-changed-message.json",
    exactly({
      version: Version,
      taskGroupId: Slugid,
      schedulerId: SchedulerId,
      newPriority: GivenPriority,
      tasksAffected: Type.Integer({ minimum: 0 }),
    }),
  ),
});
