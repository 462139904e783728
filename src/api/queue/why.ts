// Why a task is where it is: the reasons, each with its data.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { REASONS_RESOLVED, RunId, RUN_STATES, TASK_STATES, WorkerPart } from "./status.ts";
import { PriorityName, Slugid, TaskQueueId } from "./task.ts";

const Count = Type.Integer({ minimum: 0 });
const Seconds = Type.Integer({ minimum: 0, description: "Seconds." });
const requires = oneOfStrings(["all-completed", "all-resolved"]);

/** A reason: its code, a sentence for people, the task that it is about, and what it knows. */
const reason = <const C extends string, const P extends Record<string, Type.TSchema>>(
  code: C,
  description: string,
  properties: P,
) =>
  exactly(
    {
      code: oneOfStrings([code]),
      summary: Type.String({ description: "One sentence for people." }),
      taskId: Slugid,
      ...properties,
    },
    { description },
  );

/** A dependency that is not met, by which task and how far from the one that was asked about. */
const edge = {
  requiredBy: Slugid,
  depth: Type.Integer({ minimum: 1, description: "1: the task's own dependency; 2: one of such a one." }),
  requires,
};

const rerunUntil = { ...DateTime, description: "Of that task: until then it may be run again." };

const worker = { workerGroup: Type.Optional(WorkerPart), workerId: Type.Optional(WorkerPart) };

const reasons = [
  reason("dependencies-unmet", "How many dependencies are not met, and in which states they are.", {
    unmet: Count,
    states: Type.Record(Type.String(), Count),
  }),
  reason("dependency-waits", "A dependency that is on its way, or waits itself.", {
    ...edge,
    state: oneOfStrings(["unscheduled", "pending", "running"]),
  }),
  reason("dependency-failed", "A dependency that can be met only after it is run again.", {
    ...edge,
    deadline: rerunUntil,
    state: oneOfStrings(["failed", "exception"]),
    reasonResolved: oneOfStrings(REASONS_RESOLVED),
  }),
  reason("dependency-missing", "A dependency that is gone, and so can never be met.", edge),
  reason(
    "dependency-resolved",
    "A dependency that is resolved, and whose many dependents are still being scheduled.",
    edge,
  ),
  reason("depends-on-itself", "The task requires itself: it starts when it is scheduled by hand.", edge),
  reason("cut", "Not everything is told: there is more.", {
    at: oneOfStrings(["depth", "count"]),
    limit: Count,
  }),
  reason("never-scheduled", "Nothing kept the task from being scheduled when its deadline passed.", {}),
  reason("inconsistent", "What the database says contradicts itself; the watchdog looks for such things.", {
    what: Type.String(),
  }),
  reason("deadline-passed", "The deadline is over, and the task not resolved.", {
    deadline: DateTime,
    endsAfter: Type.Optional(DateTime),
  }),
  reason("position", "Where the run stands in its queue.", {
    runId: RunId,
    taskQueueId: TaskQueueId,
    priority: PriorityName,
    ahead: Count,
    exact: Type.Boolean({
      description: "False where there are more than `ahead`, which is where counting ends.",
    }),
  }),
  reason("priority", "Runs of a higher priority that are served first.", {
    taskQueueId: TaskQueueId,
    priority: PriorityName,
    runs: Count,
    exact: Type.Boolean(),
  }),
  reason("claim-rate", "How fast the queue was served in the last minutes, and what that means.", {
    taskQueueId: TaskQueueId,
    claims: Count,
    minutes: Count,
    estimate: Type.Optional(Seconds),
  }),
  reason("no-worker", "No worker asks for work of the queue.", {
    taskQueueId: TaskQueueId,
    lastSeen: Type.Optional(DateTime),
  }),
  reason("workers-quarantined", "Every worker that asked lately is in quarantine.", {
    taskQueueId: TaskQueueId,
    workers: Count,
  }),
  reason("workers", "Workers that asked for work lately.", {
    taskQueueId: TaskQueueId,
    workers: Count,
    quarantined: Count,
    claimed: Type.Integer({
      minimum: 0,
      description: "Runs of the queue that are running. 10,001: or more.",
    }),
    lastSeen: DateTime,
  }),
  reason("being-changed", "A statement holds the run at this moment, so that claims pass it by.", {
    runId: RunId,
  }),
  reason("running", "A worker holds the run.", {
    runId: RunId,
    ...worker,
    started: DateTime,
    takenUntil: DateTime,
  }),
  reason("claim-expired", "The worker's claim is over, and the run not ended yet.", {
    runId: RunId,
    takenUntil: DateTime,
  }),
  reason("resolved", "How the task ended.", {
    runId: RunId,
    state: oneOfStrings(["completed", "failed", "exception"]),
    reasonResolved: oneOfStrings(REASONS_RESOLVED),
    resolved: DateTime,
    deadline: rerunUntil,
    ...worker,
  }),
  reason("earlier-run", "How a run before the latest one ended.", {
    runId: RunId,
    state: oneOfStrings(RUN_STATES),
    reasonResolved: Type.Optional(oneOfStrings(REASONS_RESOLVED)),
    resolved: Type.Optional(DateTime),
    ...worker,
  }),
  reason("group-sealed", "The task's group is sealed, which canceling all of it requires.", {
    taskGroupId: Slugid,
    sealed: DateTime,
  }),
  reason("unknown", "Something that the queue does not know, rather than a guess.", {
    about: Type.String(),
  }),
] as const;

const Why = exactly({
  taskId: Slugid,
  state: oneOfStrings(TASK_STATES),
  taskQueueId: TaskQueueId,
  asked: DateTime,
  reasons: Type.Array(oneOf(...reasons)),
});
export type Why = Static<typeof Why>;
export type Reason = Static<(typeof reasons)[number]>;

export const whyFile = named("v1/task-why-response.json", Why);
