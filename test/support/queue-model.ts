// A model of the queue: states, runs, retries and events as simply as possible, one call at a time, on plain objects.
// Tests compare the real queue with it.
import type { TaskStatus } from "../../src/api/queue/status.ts";

/** The result of a call. */
export type Outcome = "ok" | "RequestConflict" | "ResourceNotFound";

type ResolvedState = "completed" | "failed" | "exception";

interface ModelRun {
  state: "pending" | "running" | ResolvedState;
  reasonCreated: string;
  reasonResolved?: string;
  workerId?: string;
  takenUntil: number;
}

interface ModelTask {
  readonly retries: number;
  readonly deadline: number;
  readonly anyResolution: boolean;
  /** Dependencies that are not satisfied. */
  readonly unsatisfied: Set<string>;
  readonly runs: ModelRun[];
  retriesLeft: number;
  wasResolved: boolean;
  priority: string;
  readonly events: string[];
}

export interface ModelLimits {
  readonly claimTimeout: number;
  readonly deadlineDelay: number;
  readonly maxRuns: number;
}

export interface QueueModel {
  /** Returns how often the group of all tasks was resolved. */
  timesResolved(): number;
  /** Returns the events of a task so far, in the format of `summarize`. */
  eventsOf(taskId: string): readonly string[];
  /** Returns the members of a status that the model covers. */
  statusOf(taskId: string): ReturnType<typeof withoutTimes>;
  create(
    taskId: string,
    of: Pick<ModelTask, "retries" | "deadline" | "anyResolution"> & { dependencies: string[] },
  ): Outcome;
  schedule(taskId: string): Outcome;
  rerun(taskId: string): Outcome;
  cancel(taskId: string): Outcome;
  claim(taskId: string, runId: number, workerId: string): Outcome;
  reclaim(taskId: string, runId: number): Outcome;
  report(taskId: string, runId: number, state: ResolvedState, reason: string): Outcome;
  /** Seals the group. */
  seal(): Outcome;
  /** Cancels all unresolved tasks, if the group is sealed. */
  cancelGroup(): Outcome;
  /** Changes the priority of one task. */
  prioritize(taskId: string, priority: string): Outcome;
  /** Changes the priority of every task that allows it. */
  prioritizeGroup(priority: string): Outcome;
  /** Keeps a worker from claiming until a time. */
  quarantine(workerId: string, until: number): Outcome;
  priorityOf(taskId: string): string;
  /** Does the work of the loops at the current time. */
  passTime(): void;
}

/** Returns the members of a status that follow from the rules, without times. */
export const withoutTimes = ({
  state,
  retriesLeft,
  runs,
}: Pick<TaskStatus, "state" | "retriesLeft" | "runs">) => ({
  state,
  retriesLeft,
  runs: runs.map((run) => [run.state, run.reasonCreated, run.reasonResolved, run.workerId]),
});

const retriedAs: Readonly<Record<string, string>> = {
  "worker-shutdown": "retry",
  "claim-expired": "retry",
  "intermittent-task": "task-retry",
};

/** Creates a model without tasks. */
export function queueModel(limits: ModelLimits, now: () => number): QueueModel {
  const tasks = new Map<string, ModelTask>();
  let timesResolved = 0;
  let isSealed = false;
  const quarantinedUntil = new Map<string, number>();
  const get = (taskId: string): ModelTask => {
    const task = tasks.get(taskId);
    if (!task) throw new Error(`the model has no task ${taskId}`);
    return task;
  };
  const isOpen = (run: ModelRun | undefined): boolean => run?.state === "pending" || run?.state === "running";

  function addRun(task: ModelTask, reasonCreated: string): void {
    task.events.push(`task-pending ${task.runs.length}`);
    task.runs.push({ state: "pending", reasonCreated, takenUntil: 0 });
  }

  const satisfies = (state: string | undefined, dependent: Pick<ModelTask, "anyResolution">): boolean =>
    state === "completed" || (dependent.anyResolution && (state === "failed" || state === "exception"));

  /** Releases the dependents of tasks that were resolved together. The group is resolved at most once. */
  function releaseDependents(taskIds: readonly string[]): void {
    if (taskIds.length === 0) return;
    for (const taskId of taskIds) {
      const task = get(taskId);
      const state = task.runs.at(-1)?.state;
      for (const dependent of tasks.values()) {
        if (!dependent.unsatisfied.has(taskId) || !satisfies(state, dependent)) continue;
        dependent.unsatisfied.delete(taskId);
        const isReady = dependent.unsatisfied.size === 0 && dependent.runs.length === 0;
        if (isReady && dependent.deadline > now()) addRun(dependent, "scheduled");
      }
      task.wasResolved = true;
    }
    if ([...tasks.values()].every((task) => task.wasResolved)) timesResolved++;
  }

  /** Resolves a run. Returns the task unless it is retried. */
  function end(taskId: string, runId: number, state: ResolvedState, reason: string): string[] {
    const task = get(taskId);
    const run = task.runs[runId];
    if (!run) throw new Error("there is no such run");
    run.state = state;
    run.reasonResolved = reason;
    task.events.push(`task-${state} ${runId}`);
    const retry = retriedAs[reason];
    if (retry === undefined || task.retriesLeft === 0) return [taskId];
    task.retriesLeft--;
    addRun(task, retry);
    return [];
  }

  /** Resolves unresolved tasks together: none of them makes another one pending. */
  function endAll(ending: readonly (readonly [string, ModelTask])[], reason: string): void {
    for (const [, task] of ending) {
      if (task.runs.length === 0)
        task.runs.push({ state: "pending", reasonCreated: "exception", takenUntil: 0 });
      Object.assign(task.runs.at(-1) ?? {}, { state: "exception", reasonResolved: reason });
      task.events.push(`task-exception ${task.runs.length - 1}`);
    }
    releaseDependents(ending.map(([taskId]) => taskId));
  }

  const isUnresolved = (task: ModelTask): boolean => task.runs.length === 0 || isOpen(task.runs.at(-1));
  const canChange = (task: ModelTask, priority: string): boolean =>
    task.deadline > now() && !task.wasResolved && task.priority !== priority;

  return {
    timesResolved: () => timesResolved,
    seal() {
      isSealed = true;
      return "ok";
    },
    cancelGroup() {
      if (!isSealed) return "RequestConflict";
      endAll(
        [...tasks].filter(([, task]) => task.deadline > now() && isUnresolved(task)),
        "canceled",
      );
      return "ok";
    },
    prioritize(taskId, priority) {
      const task = get(taskId);
      if (!canChange(task, priority)) return "RequestConflict";
      task.priority = priority;
      task.events.push("task-priority-changed");
      return "ok";
    },
    prioritizeGroup(priority) {
      for (const task of tasks.values()) if (canChange(task, priority)) task.priority = priority;
      return "ok";
    },
    quarantine(workerId, until) {
      quarantinedUntil.set(workerId, until);
      return "ok";
    },
    priorityOf: (taskId) => get(taskId).priority,
    eventsOf: (taskId) => get(taskId).events,
    statusOf(taskId) {
      const { runs, retriesLeft } = get(taskId);
      return {
        state: runs.at(-1)?.state ?? "unscheduled",
        retriesLeft,
        runs: runs.map((run) => [run.state, run.reasonCreated, run.reasonResolved, run.workerId]),
      };
    },
    create(taskId, { dependencies, ...rest }) {
      if (isSealed) return "RequestConflict";
      const unsatisfied = dependencies.filter((id) => !satisfies(get(id).runs.at(-1)?.state, rest));
      const task: ModelTask = {
        ...rest,
        unsatisfied: new Set(unsatisfied),
        runs: [],
        retriesLeft: rest.retries,
        wasResolved: false,
        priority: "lowest",
        events: ["task-defined"],
      };
      tasks.set(taskId, task);
      if (unsatisfied.length === 0) addRun(task, "scheduled");
      return "ok";
    },
    schedule(taskId) {
      const task = get(taskId);
      if (task.deadline < now()) return "RequestConflict";
      if (task.runs.length === 0) addRun(task, "scheduled");
      return "ok";
    },
    rerun(taskId) {
      const task = get(taskId);
      const latest = task.runs.at(-1);
      if (task.deadline < now()) return "RequestConflict";
      if (latest?.state === "pending") task.events.push(`task-pending ${task.runs.length - 1}`);
      if (isOpen(latest)) return "ok";
      if (task.runs.length >= limits.maxRuns) return "RequestConflict";
      task.retriesLeft = Math.min(task.retries, limits.maxRuns - task.runs.length - 1);
      addRun(task, "rerun");
      return "ok";
    },
    cancel(taskId) {
      const task = get(taskId);
      if (task.deadline < now()) return "RequestConflict";
      if (task.runs.length === 0)
        task.runs.push({ state: "pending", reasonCreated: "exception", takenUntil: 0 });
      const runId = task.runs.length - 1;
      if (isOpen(task.runs[runId])) releaseDependents(end(taskId, runId, "exception", "canceled"));
      else if (task.runs[runId]?.reasonResolved === "canceled") task.events.push(`task-exception ${runId}`);
      return "ok";
    },
    claim(taskId, runId, workerId) {
      const task = get(taskId);
      const run = task.runs[runId];
      if (task.deadline < now()) return "RequestConflict";
      if ((quarantinedUntil.get(workerId) ?? 0) > now()) return "ok";
      if (!run) return "ResourceNotFound";
      if (run.state === "running" && run.workerId === workerId) return "ok";
      if (run.state !== "pending") return "RequestConflict";
      Object.assign(run, { state: "running", workerId, takenUntil: now() + limits.claimTimeout });
      task.events.push(`task-running ${runId}`);
      return "ok";
    },
    reclaim(taskId, runId) {
      const task = get(taskId);
      const run = task.runs[runId];
      if (!run) return "ResourceNotFound";
      if (run.state !== "running" || task.deadline < now()) return "RequestConflict";
      run.takenUntil = now() + limits.claimTimeout;
      return "ok";
    },
    report(taskId, runId, state, reason) {
      const task = get(taskId);
      const run = task.runs[runId];
      if (!run) return "ResourceNotFound";
      if (run.state === "running") {
        releaseDependents(end(taskId, runId, state, reason));
        return "ok";
      }
      const newer = task.runs.length - 1 - runId;
      const isSame = run.state === state && run.reasonResolved === reason;
      if (!isSame || newer > (state === "exception" ? 1 : 0)) return "RequestConflict";
      return "ok";
    },
    passTime() {
      const expired = [...tasks].flatMap(([taskId, { runs, deadline }]) =>
        runs.flatMap((run, runId) => {
          const isExpired = run.state === "running" && run.takenUntil < now() && deadline > now();
          return isExpired ? end(taskId, runId, "exception", "claim-expired") : [];
        }),
      );
      releaseDependents(expired);
      const overdue = [...tasks].filter(
        ([, task]) => task.deadline + limits.deadlineDelay < now() && isUnresolved(task),
      );
      endAll(overdue, "deadline-exceeded");
    },
  };
}
