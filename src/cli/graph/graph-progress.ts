// The states of the tasks of a graph, from the events of its group.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { GraphTask } from "./graph-tasks.ts";

export type State = TaskStatus["state"];

export interface TaskProgress {
  readonly task: GraphTask;
  readonly state: State;
  readonly runs: number;
  /** Why the latest run was resolved. */
  readonly reason: string | undefined;
  readonly started: string | undefined;
  readonly resolved: string | undefined;
}

export interface GraphProgress {
  readonly counts: Readonly<Record<State, number>>;
  /** In the order in which they started. */
  readonly running: Iterable<TaskProgress>;
  readonly total: number;
  /** Adds a task that has no runs yet. */
  add(task: GraphTask): void;
  of(taskId: string): TaskProgress | undefined;
  all(): Iterable<TaskProgress>;
  /** Applies a status. Returns the task if it has changed. */
  update(status: TaskStatus): TaskProgress | undefined;
  /** Reports whether all tasks are resolved. */
  isResolved(): boolean;
  /** Reports whether every task is resolved or waits for a failed one. */
  isFinished(): boolean;
}

export function graphProgress(tasks: readonly GraphTask[]): GraphProgress {
  const known = new Map<string, TaskProgress>();
  const running = new Map<string, TaskProgress>();
  const counts: Record<State, number> = {
    unscheduled: 0,
    pending: 0,
    running: 0,
    completed: 0,
    failed: 0,
    exception: 0,
  };

  /** Counts the tasks that wait for a failed task, directly or through other waiting tasks. */
  function countStuck(): number {
    const stuck = new Set<string>();
    const blocks = (need: string, task: GraphTask): boolean => {
      const needed = known.get(need);
      if (needed?.state === "unscheduled") return stuck.has(needed.task.taskId);
      return !task.anyResolution && (needed?.state === "failed" || needed?.state === "exception");
    };
    // Repeats until nothing changes: the tasks of a file are in any order.
    for (let before = -1; before !== stuck.size;) {
      before = stuck.size;
      for (const { task, state } of known.values())
        if (state === "unscheduled" && task.needs.some((need) => blocks(need, task))) stuck.add(task.taskId);
    }
    return stuck.size;
  }

  const add = (task: GraphTask): void => {
    const none = { reason: undefined, started: undefined, resolved: undefined };
    known.set(task.taskId, { task, state: "unscheduled", runs: 0, ...none });
    counts.unscheduled++;
  };
  tasks.forEach(add);

  return {
    counts,
    get total() {
      return known.size;
    },
    add,
    get running() {
      return running.values();
    },
    of: (taskId) => known.get(taskId),
    all: () => known.values(),
    update({ taskId, state, runs }) {
      const before = known.get(taskId);
      // Ignores a repeated event, and one that is older than a status that was read since.
      if (
        !before ||
        runs.length < before.runs ||
        (before.runs === runs.length && rank(state) <= rank(before.state))
      )
        return undefined;
      const last = runs.at(-1);
      const after = {
        ...before,
        state,
        runs: runs.length,
        reason: last?.reasonResolved,
        started: last?.started,
        resolved: last?.resolved,
      };
      known.set(taskId, after);
      counts[before.state]--;
      counts[state]++;
      running.delete(taskId);
      if (state === "running") running.set(taskId, after);
      return after;
    },
    isResolved: () => counts.pending + counts.running + counts.unscheduled === 0,
    isFinished: () =>
      counts.pending + counts.running === 0 &&
      // Without a failure nothing is stuck. Called after each task of a chain, so this must be cheap.
      (counts.unscheduled === 0 || counts.failed + counts.exception > 0) &&
      (counts.unscheduled === 0 || countStuck() === counts.unscheduled),
  };
}

/** Orders the states within a run. */
const rank = (state: State): number =>
  ["unscheduled", "pending", "running", "completed", "failed", "exception"].indexOf(state);
