// The reasons for the state of a task, each with its data.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named, oneOf, oneOfStrings } from "../schema.ts";
import { REASONS_RESOLVED, RunId, RUN_STATES, TASK_STATES, WorkerPart } from "./status.ts";
import { PriorityName, Slugid, TaskQueueId } from "./task.ts";

const Count = Type.Integer({ minimum: 0 });
const Seconds = Type.Integer({ minimum: 0, description: "In seconds." });
const requires = oneOfStrings(["all-completed", "all-resolved"]);

/** Declares a reason: its code, a sentence for people, the task that it concerns, and its data. */
const reason = <const C extends string, const P extends Record<string, Type.TSchema>>(
  code: C,
  description: string,
  properties: P,
) =>
  exactly(
    {
      code: oneOfStrings([code]),
      summary: Type.String({ description: "A sentence for people." }),
      taskId: Slugid,
      ...properties,
    },
    { description },
  );

/** An unsatisfied dependency: the task that requires it, and its distance from the task of the request. */
const edge = {
  requiredBy: Slugid,
  depth: Type.Integer({
    minimum: 1,
    description: "1 for a dependency of the task itself, 2 for a dependency of such a dependency, and so on.",
  }),
  requires,
};

const rerunUntil = { ...DateTime, description: "The deadline of that task, until which it can be rerun." };

const worker = { workerGroup: Type.Optional(WorkerPart), workerId: Type.Optional(WorkerPart) };

const reasons = [
  reason("dependencies-unmet", "The number of unsatisfied dependencies, and their states.", {
    unmet: Count,
    states: Type.Record(Type.String(), Count),
  }),
  reason("dependency-waits", "A dependency that is running, pending, or waiting itself.", {
    ...edge,
    state: oneOfStrings(["unscheduled", "pending", "running"]),
  }),
  reason("dependency-failed", "A dependency that can be met only by a rerun.", {
    ...edge,
    deadline: rerunUntil,
    state: oneOfStrings(["failed", "exception"]),
    reasonResolved: oneOfStrings(REASONS_RESOLVED),
  }),
  reason("dependency-missing", "A dependency that no longer exists and can never be met.", edge),
  reason(
    "dependency-resolved",
    "A dependency that is resolved, but whose many dependents are still being scheduled.",
    edge,
  ),
  reason("depends-on-itself", "The task requires itself. It starts when `scheduleTask` is called.", edge),
  reason("cut", "The list of dependencies is incomplete, because it reached a limit.", {
    at: oneOfStrings(["depth", "count"]),
    limit: Count,
  }),
  reason(
    "never-scheduled",
    "The task was never scheduled before its deadline, although nothing prevented it.",
    {},
  ),
  reason("inconsistent", "The database is inconsistent. The watchdog checks for such violations.", {
    what: Type.String(),
    requiredBy: Type.Optional({
      ...Slugid,
      description: "Present if the reason is about a dependency of this task.",
    }),
  }),
  reason("deadline-passed", "The deadline has passed, and the task is not resolved yet.", {
    deadline: DateTime,
    endsAfter: Type.Optional(DateTime),
  }),
  reason("position", "The position of the run in its queue.", {
    runId: RunId,
    taskQueueId: TaskQueueId,
    priority: PriorityName,
    ahead: Count,
    exact: Type.Boolean({
      description: "False if there are more than `ahead`, the upper limit of the count.",
    }),
  }),
  reason("priority", "The number of runs with a higher priority, which are claimed first.", {
    taskQueueId: TaskQueueId,
    priority: PriorityName,
    runs: Count,
    exact: Type.Boolean(),
  }),
  reason(
    "claim-rate",
    "The claims from the queue in the last minutes, and an estimate of the waiting time.",
    {
      taskQueueId: TaskQueueId,
      claims: Count,
      minutes: Count,
      estimate: Type.Optional(Seconds),
    },
  ),
  reason("no-worker", "No worker requests work from the queue.", {
    taskQueueId: TaskQueueId,
    lastSeen: Type.Optional(DateTime),
  }),
  reason("workers-quarantined", "Every worker that recently requested work is quarantined.", {
    taskQueueId: TaskQueueId,
    workers: Count,
  }),
  reason("workers", "The workers that recently requested work.", {
    taskQueueId: TaskQueueId,
    workers: Count,
    quarantined: Count,
    claimed: Type.Integer({
      minimum: 0,
      description: "The number of running runs of the queue. 10,001 means that there may be more.",
    }),
    lastSeen: DateTime,
  }),
  reason("being-changed", "Another statement has locked the run, so that claims skip it.", {
    runId: RunId,
  }),
  reason("running", "A worker is running the run.", {
    runId: RunId,
    ...worker,
    started: DateTime,
    takenUntil: DateTime,
  }),
  reason("claim-expired", "The claim of the worker has expired, but the run is not resolved yet.", {
    runId: RunId,
    takenUntil: DateTime,
  }),
  reason("resolved", "How the task was resolved.", {
    runId: RunId,
    state: oneOfStrings(["completed", "failed", "exception"]),
    reasonResolved: oneOfStrings(REASONS_RESOLVED),
    resolved: DateTime,
    deadline: rerunUntil,
    ...worker,
  }),
  reason("earlier-run", "How an earlier run ended.", {
    runId: RunId,
    state: oneOfStrings(RUN_STATES),
    reasonResolved: Type.Optional(oneOfStrings(REASONS_RESOLVED)),
    resolved: Type.Optional(DateTime),
    ...worker,
  }),
  reason("group-sealed", "The group of the task is sealed, as required by `cancelTaskGroup`.", {
    taskGroupId: Slugid,
    sealed: DateTime,
  }),
  reason("hidden", "Reasons that are left out because the caller lacks scopes to read what they say.", {
    scopes: Type.Array(Type.String(), { description: "The scopes, some as patterns." }),
  }),
  reason("unknown", "Information that the queue does not have.", {
    about: Type.String(),
  }),
] as const;

const Why = exactly(
  {
    taskId: Slugid,
    state: oneOfStrings(TASK_STATES),
    taskQueueId: TaskQueueId,
    asked: DateTime,
    reasons: Type.Array(oneOf(...reasons)),
  },
  {
    examples: [
      {
        taskId: "lHP1sn7bSM6xNSb3gnwdWg",
        state: "pending",
        taskQueueId: "proj-app/linux",
        asked: "2026-01-31T12:00:30.000Z",
        reasons: [
          {
            code: "position",
            summary: "Run 0 is the 3rd to be claimed from proj-app/linux.",
            taskId: "lHP1sn7bSM6xNSb3gnwdWg",
            runId: 0,
            taskQueueId: "proj-app/linux",
            priority: "medium",
            ahead: 2,
            exact: true,
          },
        ],
      },
    ],
  },
);
export type Why = Static<typeof Why>;
export type Reason = Static<(typeof reasons)[number]>;

export const whyFile = named("v1/task-why-response.json", Why);
