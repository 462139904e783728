// taskGroupTimeline: where the time of a group went.
import { graphEndpoints } from "../../../../api/queue/endpoints/graph.ts";
import type { PathTask, TimedTask, Timeline } from "../../../../api/queue/graph.ts";
import type { Run } from "../../../../api/queue/status.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Queryable } from "../../../core/db.ts";
import { parseJson } from "../../../core/json.ts";
import { chunks } from "../../../core/columns.ts";
import { decodePage, encodePage, type PageQuery } from "../../../core/pagination.ts";
import { startTimeSlice, type TimeSlice } from "../../../core/time-slice.ts";
import type { QueueContext } from "../context.ts";
import { requireGroup } from "../tasks/find-task.ts";
import { readTaskNames, readTimelinePage, readTimelineTasks, type TimelineRow } from "./store/timeline.ts";
import { groupTime, segmentsOf, type TimelineTask } from "./critical-path.ts";

const PAGE = 1000;
/** Tasks that one statement reads: each may have ten thousand dependencies of 60 bytes. */
const BATCH = 100;
/** The critical path needs the whole group in memory: 0.5 KB a task, and its dependencies. */
const MAX_SUMMARIZED = 100_000;
const MAX_EDGES = 2_000_000;
/** A page ends early when its tasks have more dependencies. */
const EDGES_PER_PAGE = 100_000;
/** A further run of a task takes as much memory as this many dependencies. */
const RERUN_EDGES = 5;

interface ReadTask extends TimelineTask {
  /** The runs as they are on the wire. */
  readonly wire: readonly Run[];
}

export const taskGroupTimeline =
  (ctx: QueueContext) =>
  async (caller: Caller, taskGroupId: string, query: PageQuery): Promise<Timeline> => {
    caller.authorize(graphEndpoints.taskGroupTimeline, { taskGroupId });
    const page = decodePage(query, PAGE);
    const group = await requireGroup(ctx.db, taskGroupId);
    const slice = startTimeSlice();
    const now = ctx.clock.now();
    const whole = page.after === "" ? await readGroup(ctx.db, taskGroupId, slice) : undefined;

    const { tasks: shown, more } = await readTasks(
      ctx.db,
      taskGroupId,
      { after: page.after, tasks: page.limit, edges: EDGES_PER_PAGE },
      slice,
    );
    const known = whole ?? (await withDependencies(ctx.db, taskGroupId, shown));
    const tasks = await describe(ctx.db, shown, known, now, slice);
    const summary = whole && (await summarize(ctx.db, whole, now, slice));
    return {
      taskGroupId,
      schedulerId: group.scheduler_id,
      asOf: iso(now),
      ...(summary && { summary }),
      tasks,
      ...(more && { continuationToken: encodePage(shown.at(-1)?.taskId ?? "") }),
    };
  };

/** Reads all tasks of a group; returns nothing if they or their dependencies are too many. */
async function readGroup(
  db: Queryable,
  taskGroupId: string,
  slice: TimeSlice,
): Promise<Map<string, ReadTask> | undefined> {
  const most = { after: "", tasks: MAX_SUMMARIZED, edges: MAX_EDGES };
  const { tasks, more } = await readTasks(db, taskGroupId, most, slice);
  return more ? undefined : new Map(tasks.map((task) => [task.taskId, task]));
}

/** Reads tasks in the order of their ids, until there are `tasks` of them or they have more than `edges` dependencies. */
async function readTasks(
  db: Queryable,
  taskGroupId: string,
  most: { readonly after: string; readonly tasks: number; readonly edges: number },
  slice: TimeSlice,
): Promise<{ readonly tasks: readonly ReadTask[]; readonly more: boolean }> {
  const tasks: ReadTask[] = [];
  let edges = 0;
  for (let after = most.after; ; after = tasks.at(-1)?.taskId ?? "") {
    const some = Math.min(BATCH, most.tasks + 1 - tasks.length);
    const rows = await readTimelinePage(db, taskGroupId, after, some);
    for (const row of rows) {
      if (tasks.length >= most.tasks || edges > most.edges) return { tasks, more: true };
      const task = readTask(row);
      tasks.push(task);
      edges += row.dependencies.length + RERUN_EDGES * Math.max(0, task.runs.length - 1);
    }
    if (rows.length < some) return { tasks, more: false };
    if (slice.isOver()) await slice.next();
  }
}

/** Adds the dependencies in the group, by which the gaps of the tasks are computed. */
async function withDependencies(
  db: Queryable,
  taskGroupId: string,
  shown: readonly ReadTask[],
): Promise<Map<string, ReadTask>> {
  const tasks = new Map(shown.map((task) => [task.taskId, task]));
  const missing = new Set(shown.flatMap(({ dependencies }) => dependencies.filter((id) => !tasks.has(id))));
  for (const some of chunks([...missing]))
    for (const row of await readTimelineTasks(db, taskGroupId, some)) tasks.set(row.task_id, readTask(row));
  return tasks;
}

function readTask(row: TimelineRow): ReadTask {
  const wire = parseJson(row.runs);
  const ms = (time: string | undefined): number | undefined =>
    time === undefined ? undefined : Date.parse(time);
  return {
    taskId: row.task_id,
    created: row.created?.getTime(),
    dependencies: row.dependencies,
    unmet: row.unmet,
    anyResolution: row.any_resolution,
    wire,
    runs: wire.map(({ state, scheduled, started, resolved }) => ({
      state,
      scheduled: Date.parse(scheduled),
      started: ms(started),
      resolved: ms(resolved),
    })),
  };
}

async function describe(
  db: Queryable,
  shown: readonly ReadTask[],
  known: ReadonlyMap<string, ReadTask>,
  now: number,
  slice: TimeSlice,
): Promise<TimedTask[]> {
  const names = await readNames(
    db,
    shown.map(({ taskId }) => taskId),
    slice,
  );
  return shown.map((task) => {
    const first = task.runs[0];
    return {
      taskId: task.taskId,
      name: names.get(task.taskId) ?? "",
      state: task.wire.at(-1)?.state ?? "unscheduled",
      ...(task.created !== undefined && { created: iso(task.created) }),
      dependencyMs: Math.max(0, (first?.scheduled ?? now) - (task.created ?? first?.scheduled ?? now)),
      ...segmentsOf(task, known, now),
      runs: task.wire.map((run, i) => ({ ...run, ...runTimes(task.runs[i], now) })),
    };
  });
}

function runTimes(
  run: TimelineTask["runs"][number] | undefined,
  now: number,
): { queueMs: number; runMs: number } {
  const resolved = run?.resolved ?? now;
  const started = run?.started ?? resolved;
  return {
    queueMs: Math.max(0, started - (run?.scheduled ?? now)),
    runMs: Math.max(0, resolved - started),
  };
}

async function summarize(
  db: Queryable,
  tasks: ReadonlyMap<string, ReadTask>,
  now: number,
  slice: TimeSlice,
): Promise<Timeline["summary"]> {
  const time = await groupTime(tasks, now, slice);
  if (!time) return undefined;
  const sums = { gapMs: 0, queueMs: 0, runMs: 0, betweenMs: 0 };
  for (const task of tasks.values()) {
    const segments = segmentsOf(task, tasks, now);
    for (const name of ["gapMs", "queueMs", "runMs", "betweenMs"] as const) sums[name] += segments[name];
    if (slice.isOver()) await slice.next();
  }
  const names = await readNames(
    db,
    time.path.map(({ taskId }) => taskId),
    slice,
  );
  const wallMs = time.until - time.from;
  const criticalPath = time.path.map(({ from, until, ...step }): PathTask => ({
    ...step,
    name: names.get(step.taskId) ?? "",
    from: iso(from),
    until: iso(until),
    share: wallMs === 0 ? 0 : (until - from) / wallMs,
  }));
  const { resolved, stuck, beforeMs } = time;
  return {
    resolved,
    tasks: tasks.size,
    stuck,
    from: iso(time.from),
    until: iso(time.until),
    wallMs,
    sums,
    criticalPath,
    beforeMs,
  };
}

/** Reads the names of tasks. */
async function readNames(
  db: Queryable,
  taskIds: readonly string[],
  slice: TimeSlice,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const some of chunks(taskIds))
    for (const row of await readTaskNames(db, some)) {
      names.set(row.task_id, parseJson(row.name));
      if (slice.isOver()) await slice.next();
    }
  return names;
}

const iso = (at: number): string => new Date(at).toISOString();
