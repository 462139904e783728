// Computes where the time of tasks went, and the critical path of a group. Times are milliseconds since the epoch.
import type { TimeSlice } from "../../../core/time-slice.ts";

export interface TimelineRun {
  readonly state: string;
  readonly scheduled: number;
  readonly started: number | undefined;
  readonly resolved: number | undefined;
}

export interface TimelineTask {
  readonly taskId: string;
  /** When the task was created; unknown for old tasks. */
  readonly created: number | undefined;
  readonly runs: readonly TimelineRun[];
  /** Dependencies outside of the group are ignored. */
  readonly dependencies: readonly string[];
  /** The dependencies that are not satisfied. */
  readonly unmet: readonly string[];
  /** Whether failed dependencies satisfy it too. */
  readonly anyResolution: boolean;
}

/** Consecutive parts of the time of a task. */
export interface Segments {
  /** From the resolution of the last dependency, or the creation of the task, until its first run was scheduled. */
  readonly gapMs: number;
  readonly queueMs: number;
  readonly runMs: number;
  /** From the end of each run until the next was scheduled. */
  readonly betweenMs: number;
}

export interface PathStep extends Segments {
  readonly taskId: string;
  readonly from: number;
  readonly until: number;
}

export interface GroupTime {
  readonly resolved: boolean;
  /** Tasks that wait for a failed one: they stay unscheduled until their deadlines. */
  readonly stuck: number;
  readonly from: number;
  readonly until: number;
  /** From the start of the group until the first task of the path was created. */
  readonly beforeMs: number;
  /** First to last; each step begins when the previous one ends. With `beforeMs` they add up to the time of the group. */
  readonly path: readonly PathStep[];
}

type Tasks = ReadonlyMap<string, TimelineTask>;

/** Returns the segments of a task over all its runs. Unfinished ones count up to `now`. */
export const segmentsOf = (task: TimelineTask, tasks: Tasks, now: number): Segments =>
  step(task, task.runs.length - 1, release(task, tasks), now).segments;

/** Returns undefined if there are no tasks. */
export async function groupTime(tasks: Tasks, now: number, slice: TimeSlice): Promise<GroupTime | undefined> {
  const stuck = stuckOf(tasks);
  const last = lastOf(tasks, stuck);
  if (!last) return undefined;
  let from = Infinity;
  for (const task of tasks.values()) from = Math.min(from, task.created ?? task.runs[0]?.scheduled ?? now);

  const path: PathStep[] = [];
  const seen = new Set<string>();
  let run = last.runs.length - 1;
  for (let task: TimelineTask | undefined = last; task && !seen.has(task.taskId);) {
    if (slice.isOver()) await slice.next();
    // Graphs have no cycles, but old or damaged data must not make this loop forever.
    seen.add(task.taskId);
    const released = release(task, tasks);
    const { segments, from: begin, until } = step(task, run, released, now);
    path.push({ taskId: task.taskId, from: begin, until, ...segments });
    task = released?.by;
    run = released?.run ?? 0;
  }
  path.reverse();
  const first = path[0]?.from ?? from;
  // Clocks of several servers may be milliseconds apart.
  from = Math.min(from, first);
  const until = path.at(-1)?.until ?? first;
  const resolved = isOver(last) && stuck.size === 0;
  return { resolved, stuck: stuck.size, from, until, beforeMs: first - from, path };
}

/** The run of another task whose end released a task. */
interface Release {
  readonly by: TimelineTask;
  readonly run: number;
  readonly at: number;
}

/** Returns undefined if all dependencies in the group were resolved when the task was created. */
function release({ taskId, created, dependencies, runs }: TimelineTask, tasks: Tasks): Release | undefined {
  const scheduled = runs[0]?.scheduled ?? Infinity;
  let found: Release | undefined;
  for (const id of dependencies) {
    const by = id === taskId ? undefined : tasks.get(id);
    if (!by) continue;
    // A dependency may have been run again after it had released this task.
    const run = by.runs.findLastIndex(({ resolved }) => resolved !== undefined && resolved <= scheduled);
    const at = by.runs[run]?.resolved;
    if (at !== undefined && (found === undefined || at > found.at)) found = { by, run, at };
  }
  return found && (created === undefined || found.at >= created) ? found : undefined;
}

/** Returns the time of a task up to the end of its run `last`. Its segments add up to it even if clocks disagreed. */
function step(
  { created, runs }: TimelineTask,
  last: number,
  released: Release | undefined,
  now: number,
): { readonly from: number; readonly until: number; readonly segments: Segments } {
  const from = released?.at ?? created ?? runs[0]?.scheduled ?? now;
  let at = from;
  const passUntil = (time: number): number => {
    const passed = Math.max(0, time - at);
    at += passed;
    return passed;
  };
  const segments = { gapMs: 0, queueMs: 0, runMs: 0, betweenMs: 0 };
  for (const [i, run] of runs.slice(0, last + 1).entries()) {
    segments[i === 0 ? "gapMs" : "betweenMs"] += passUntil(run.scheduled);
    const resolved = run.resolved ?? now;
    segments.queueMs += passUntil(run.started ?? resolved);
    segments.runMs += passUntil(resolved);
  }
  if (runs.length === 0) segments.gapMs = passUntil(now);
  return { from, until: at, segments };
}

const isOver = (task: TimelineTask): boolean => task.runs.at(-1)?.resolved !== undefined;

/** Returns the tasks that wait for a failed task of the group, directly or through others. */
function stuckOf(tasks: Tasks): ReadonlySet<string> {
  const waiting = new Map<string, string[]>();
  const stuck = new Set<string>();
  for (const { taskId, unmet, anyResolution, runs } of tasks.values()) {
    if (runs.length > 0) continue;
    for (const id of unmet) {
      const state = tasks.get(id)?.runs.at(-1)?.state;
      if (!anyResolution && (state === "failed" || state === "exception")) stuck.add(taskId);
      const others = waiting.get(id);
      if (others) others.push(taskId);
      else waiting.set(id, [taskId]);
    }
  }
  // Iterating over a set includes the elements that are added during the iteration.
  for (const taskId of stuck) for (const id of waiting.get(taskId) ?? []) stuck.add(id);
  return stuck;
}

/**
 * Returns the task at the end of the critical path: the last to be resolved. While some are not resolved, the one of them
 * that is furthest (running, pending, unscheduled), and of several the one that has been in that state for longest. Stuck
 * tasks are not on the path.
 */
function lastOf(tasks: Tasks, stuck: ReadonlySet<string>): TimelineTask | undefined {
  let last: TimelineTask | undefined;
  for (const task of tasks.values())
    if (!stuck.has(task.taskId) && (last === undefined || isLater(task, last))) last = task;
  return last;
}

const stages = ["running", "pending", "unscheduled"];

function isLater(task: TimelineTask, than: TimelineTask): boolean {
  const [a, b] = [task, than].map((t) => stages.indexOf(t.runs.at(-1)?.state ?? "unscheduled"));
  if (isOver(task) !== isOver(than)) return isOver(than);
  if (isOver(task)) return (task.runs.at(-1)?.resolved ?? 0) > (than.runs.at(-1)?.resolved ?? 0);
  if (a !== b) return (a ?? 0) < (b ?? 0);
  return since(task) < since(than);
}

const since = ({ runs, created }: TimelineTask): number => runs.at(-1)?.scheduled ?? created ?? Infinity;
