// The queue's events. The routing key of a task event tells the task, its latest run and worker, its queue and group.
import Type from "typebox";
import { exchange, keyWord, primaryWord, reservedWord } from "../exchange.ts";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";
import { GivenPriority } from "./priorities.ts";
import { RunId, TaskStatus, WorkerPart } from "./status.ts";
import { SchedulerId, Slugid, Tags } from "./task.ts";

const Version = Type.Unsafe<1>({ type: "integer", enum: [1] });
const TaggedTask = exactly({ tags: Tags });

/** Task events differ in whether a run, and whether a worker, is always known. */
const taskRoutingKey = (known: { run: boolean; worker: boolean }) => [
  primaryWord,
  keyWord("taskId", "The task.", true),
  keyWord("runId", "The run that the message is about; `_` where there is none.", known.run),
  keyWord("workerGroup", "Group of the worker that claimed the run; `_` where none did.", known.worker),
  keyWord("workerId", "The worker that claimed the run; `_` where none did.", known.worker),
  keyWord("provisionerId", "First half of the task's queue.", true),
  keyWord("workerType", "Second half of the task's queue.", true),
  keyWord("schedulerId", "The scheduler that the task names.", true),
  keyWord("taskGroupId", "The task's group.", true),
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
  description: "A task is known to the queue. Comes before every other event of the task.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-defined-message.json", exactly({ ...base, ...tags })),
});
export const taskPending = exchange({
  exchange: "task-pending",
  name: "taskPending",
  title: "Task pending",
  description: "A run of the task waits for a worker.",
  routingKey: taskRoutingKey({ run: true, worker: false }),
  message: named("v1/task-pending-message.json", exactly({ ...base, ...tags, runId: RunId })),
});
export const taskRunning = exchange({
  exchange: "task-running",
  name: "taskRunning",
  title: "Task running",
  description: "A worker claimed a run and holds it until `takenUntil`, unless it reclaims it before.",
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
    "A run has a new artifact. Not sent for storage type `s3`, whose upload the queue does not see end.",
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
  description: "A worker reports that the task did what it should.",
  routingKey: taskRoutingKey({ run: true, worker: true }),
  message: named("v1/task-completed-message.json", exactly({ ...base, ...tags, ...workedOn })),
});
export const taskFailed = exchange({
  exchange: "task-failed",
  name: "taskFailed",
  title: "Task failed",
  description: "A worker ran the task, and the task failed: by its own fault, so it is not retried.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-failed-message.json", exactly({ ...base, ...tags, ...workedOn })),
});
export const taskException = exchange({
  exchange: "task-exception",
  name: "taskException",
  title: "Task exception",
  description:
    "A run ended without a verdict: canceled, past its deadline, lost by its worker, malformed … `reasonResolved` of the run says why; where a retry follows, it is among the runs already.",
  routingKey: taskRoutingKey({ run: false, worker: false }),
  message: named("v1/task-exception-message.json", exactly({ ...base, ...tags, ...maybeWorkedOn })),
});
/** How a group is after something happened to it. */
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
    "Every task of the group has been resolved at least once. May come again: after a rerun, or when tasks were added later.",
  routingKey: groupRoutingKey,
  message: changedGroupFile,
});
export const taskGroupSealed = exchange({
  exchange: "task-group-sealed",
  name: "taskGroupSealed",
  title: "Task group sealed",
  description:
    "No task can be added to the group any more. Comes with every call of `sealTaskGroup`; `sealed` is the time of the first.",
  routingKey: groupRoutingKey,
  message: changedGroupFile,
});
export const taskPriorityChanged = exchange({
  exchange: "task-priority-changed",
  name: "taskPriorityChanged",
  title: "Task priority changed",
  description: "The task has another priority, and so has its run if that waits for a worker.",
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
    "`tasksAffected` tasks of the group, those that were never resolved, have another priority. The tasks themselves are not told one by one.",
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
