// What is known of the tasks of a graph, from the events of their group.
import type { TaskStatus } from "../../api/queue/status.ts";
import type { GraphTask } from "./graph-tasks.ts";

export type State = TaskStatus["state"];

export interface TaskProgress {
  readonly task: GraphTask;
  readonly state: State;
  readonly runs: number;
  /** Why its latest run ended. */
  readonly reason: string | undefined;
  readonly started: string | undefined;
}

export interface GraphProgress {
  readonly counts: Readonly<Record<State, number>>;
  /** In the order in which they began. */
  readonly running: Iterable<TaskProgress>;
  readonly total: number;
  of(taskId: string): TaskProgress | undefined;
  all(): Iterable<TaskProgress>;
  /** Takes a status in; answers the task where it changed. */
  update(status: TaskStatus): TaskProgress | undefined;
  /** Whether all tasks are resolved. */
  isResolved(): boolean;
  /** Whether they are, or those that are not wait for something that failed. */
  isOver(): boolean;
}

export function graphProgress(tasks: readonly GraphTask[]): GraphProgress {
  const known = new Map<string, TaskProgress>();
  for (const task of tasks)
    known.set(task.taskId, { task, state: "unscheduled", runs: 0, reason: undefined, started: undefined });
  const byName = new Map(tasks.map(({ name, taskId }) => [name, taskId]));
  const running = new Map<string, TaskProgress>();
  const counts: Record<State, number> = {
    unscheduled: tasks.length,
    pending: 0,
    running: 0,
    completed: 0,
    failed: 0,
    exception: 0,
  };

  /** What waits for a task that failed, directly or by way of others that wait. */
  function countStuck(): number {
    const stuck = new Set<string>();
    const holdsUp = (need: string, task: GraphTask): boolean => {
      const needed = known.get(byName.get(need) ?? "");
      if (needed?.state === "unscheduled") return stuck.has(needed.task.taskId);
      return !task.anyResolution && (needed?.state === "failed" || needed?.state === "exception");
    };
    // Until nothing changes, since the tasks of a file stand in any order.
    for (let before = -1; before !== stuck.size;) {
      before = stuck.size;
      for (const { task, state } of known.values())
        if (state === "unscheduled" && task.needs.some((need) => holdsUp(need, task))) stuck.add(task.taskId);
    }
    return stuck.size;
  }

  return {
    counts,
    total: tasks.length,
    get running() {
      return running.values();
    },
    of: (taskId) => known.get(taskId),
    all: () => known.values(),
    update({ taskId, state, runs }) {
      const before = known.get(taskId);
      // Told again, or read while later events were on their way.
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
      };
      known.set(taskId, after);
      counts[before.state]--;
      counts[state]++;
      running.delete(taskId);
      if (state === "running") running.set(taskId, after);
      return after;
    },
    isResolved: () => counts.pending + counts.running + counts.unscheduled === 0,
    isOver: () =>
      counts.pending + counts.running === 0 &&
      // Nothing is stuck where nothing failed: asked after each task of a chain, the answer must be cheap.
      (counts.unscheduled === 0 || counts.failed + counts.exception > 0) &&
      (counts.unscheduled === 0 || countStuck() === counts.unscheduled),
  };
}

/** How far a run is. */
const rank = (state: State): number =>
  ["unscheduled", "pending", "running", "completed", "failed", "exception"].indexOf(state);
