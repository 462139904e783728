// The status of tasks and their runs.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";
import {
  PriorityName,
  ProjectId,
  ProvisionerId,
  SchedulerId,
  Slugid,
  TaskDefinition,
  TaskQueueId,
  WorkerType,
} from "./task.ts";

export const TASK_STATES = ["unscheduled", "pending", "running", "completed", "failed", "exception"] as const;
export const RUN_STATES = ["pending", "running", "completed", "failed", "exception"] as const;
const REASONS_CREATED = ["scheduled", "retry", "task-retry", "rerun", "exception"] as const;
/** The reasons for which a worker may report an exception. */
export const EXCEPTION_REASONS = [
  "worker-shutdown",
  "malformed-payload",
  "resource-unavailable",
  "internal-error",
  "intermittent-task",
] as const;
export const REASONS_RESOLVED = [
  "completed",
  "failed",
  "deadline-exceeded",
  "canceled",
  "claim-expired",
  "worker-shutdown",
  "malformed-payload",
  "resource-unavailable",
  "internal-error",
  "intermittent-task",
  "superseded",
] as const;

export const RunId = Type.Integer({ minimum: 0, maximum: 1000 });
export const WorkerPart = Type.String({ minLength: 1, maxLength: 38, pattern: "^([a-zA-Z0-9-_]*)$" });

export const Run = exactly({
  runId: RunId,
  state: oneOfStrings(RUN_STATES),
  reasonCreated: oneOfStrings(REASONS_CREATED),
  reasonResolved: Type.Optional(oneOfStrings(REASONS_RESOLVED)),
  workerGroup: Type.Optional(WorkerPart),
  workerId: Type.Optional(WorkerPart),
  takenUntil: Type.Optional(DateTime),
  scheduled: DateTime,
  started: Type.Optional(DateTime),
  resolved: Type.Optional(DateTime),
});
export type Run = Static<typeof Run>;

export const TaskStatus = exactly({
  taskId: Slugid,
  provisionerId: ProvisionerId,
  workerType: WorkerType,
  taskQueueId: TaskQueueId,
  schedulerId: SchedulerId,
  projectId: ProjectId,
  taskGroupId: Slugid,
  priority: Type.Optional(PriorityName),
  deadline: DateTime,
  expires: DateTime,
  retriesLeft: Type.Integer({ minimum: 0, maximum: 999 }),
  state: oneOfStrings(TASK_STATES),
  runs: Type.Array(Run, { uniqueItems: true }),
});
export type TaskStatus = Static<typeof TaskStatus>;

const StatusReply = exactly({ status: TaskStatus });
export const DefinitionAndStatus = exactly({ task: TaskDefinition, status: TaskStatus });

export const statusReplyFile = named("v1/task-status-response.json", StatusReply);
