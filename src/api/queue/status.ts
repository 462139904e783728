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

const exampleRun = {
  runId: 0,
  state: "running",
  reasonCreated: "scheduled",
  workerGroup: "berlin",
  workerId: "worker-1",
  takenUntil: "2026-01-31T12:20:00.250Z",
  scheduled: "2026-01-31T12:00:00.000Z",
  started: "2026-01-31T12:00:00.250Z",
};
export const Run = exactly(
  {
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
  },
  { examples: [exampleRun] },
);
export type Run = Static<typeof Run>;

export const TaskStatus = exactly(
  {
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
  },
  {
    examples: [
      {
        taskId: "lHP1sn7bSM6xNSb3gnwdWg",
        provisionerId: "proj-app",
        workerType: "linux",
        taskQueueId: "proj-app/linux",
        schedulerId: "app-ci",
        projectId: "app",
        taskGroupId: "VZZ6zfW9RDiy2O1BSpEA7Q",
        priority: "medium",
        deadline: "2026-02-01T12:00:00.000Z",
        expires: "2027-01-31T12:00:00.000Z",
        retriesLeft: 5,
        state: "running",
        runs: [exampleRun],
      },
    ],
  },
);
export type TaskStatus = Static<typeof TaskStatus>;

const StatusReply = exactly({ status: TaskStatus });
export const DefinitionAndStatus = exactly({ task: TaskDefinition, status: TaskStatus });

export const statusReplyFile = named("v1/task-status-response.json", StatusReply);
