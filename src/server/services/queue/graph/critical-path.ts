// Where the time of tasks went, and which of them made a group take as long as it did. Times are milliseconds since the
// epoch.
import type { TimeSlice } from "../../../core/time-slice.ts";

export interface TimelineRun {
  readonly state: string;
  readonly scheduled: number;
  readonly started: number | undefined;
  readonly resolved: number | undefined;
}

export interface TimelineTask {
  readonly taskId: string;
  /** When the queue accepted it; unknown for old tasks. */
  readonly created: number | undefined;
  readonly runs: readonly TimelineRun[];
  /** Those outside of the group are passed over. */
  readonly dependencies: readonly string[];
  /** Those of all dependencies that are not met. */
  readonly unmet: readonly string[];
  /** Whether it goes on after failures, too. */
  readonly anyResolution: boolean;
}

/** Consecutive parts of a task's time. */
export interface Segments {
  /** Before the first run was scheduled, since the last dependency was resolved or the task was created. */
  readonly gapMs: number;
  readonly queueMs: number;
  readonly runMs: number;
  /** From the end of a run to when the next was scheduled. */
  readonly betweenMs: number;
}

export interface PathStep extends Segments {
  readonly taskId: string;
  readonly from: number;
  readonly until: number;
}

export interface GroupTime {
  readonly resolved: boolean;
  /** Tasks that wait for one that failed: nothing goes on for them, and they end with their deadlines. */
  readonly stuck: number;
  readonly from: number;
  readonly until: number;
  /** From the start of the group to when the first task of the path was created. */
  readonly beforeMs: number;
  /** First to last; each begins when the one before ends. With `beforeMs` they add up to the time of the group. */
  readonly path: readonly PathStep[];
}

type Tasks = ReadonlyMap<string, TimelineTask>;

/** The segments of one task, of all its runs; what is not over is counted until `now`. */
export const segmentsOf = (task: TimelineTask, tasks: Tasks, now: number): Segments =>
  step(task, task.runs.length - 1, release(task, tasks), now).segments;

/** Undefined where there are no tasks. */
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
    // No graph has circles, but what is read here may be old or odd, and must not keep us for ever.
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

/** What a task waited for last: the run of another task whose end let it go. */
interface Release {
  readonly by: TimelineTask;
  readonly run: number;
  readonly at: number;
}

/** Undefined where the task was created when all it depends on in the group was over. */
function release({ taskId, created, dependencies, runs }: TimelineTask, tasks: Tasks): Release | undefined {
  const scheduled = runs[0]?.scheduled ?? Infinity;
  let found: Release | undefined;
  for (const id of dependencies) {
    const by = id === taskId ? undefined : tasks.get(id);
    if (!by) continue;
    // A dependency may have been run again after it had let this task go.
    const run = by.runs.findLastIndex(({ resolved }) => resolved !== undefined && resolved <= scheduled);
    const at = by.runs[run]?.resolved;
    if (at !== undefined && (found === undefined || at > found.at)) found = { by, run, at };
  }
  return found && (created === undefined || found.at >= created) ? found : undefined;
}

/** The time of a task up to the end of its run `last`. Its segments add up to it, whatever the clocks said. */
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

/** What waits for a task of the group that failed, directly or by way of others. */
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
  // A set is walked through to its end, with what is added on the way.
  for (const taskId of stuck) for (const id of waiting.get(taskId) ?? []) stuck.add(id);
  return stuck;
}

/**
 * The task that the end of the group was waiting for: the last to be resolved. While some are not, that of them which
 * has come farthest, and of several the one that has been at it for longest. What is stuck holds up nobody.
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
