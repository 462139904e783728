// The critical path of a group as text: a line for each task, its time as a bar on the axis of the group.
import type { PathTask, Timeline } from "../../api/queue/graph.ts";
import { timeBetween } from "../columns.ts";
import type { Painter } from "../paint.ts";

type Summary = NonNullable<Timeline["summary"]>;

/** Of a longer path only the tasks with the largest shares are drawn. */
const maxDrawn = 40;

/** The lines; `width` is that of the terminal. */
export function drawPath(summary: Summary, paint: Painter, width: number): string[] {
  const { criticalPath, wallMs, from, until, tasks, sums } = summary;
  const names = criticalPath.map(({ name }) => (name.length > 30 ? `${name.slice(0, 29)}…` : name));
  const nameWidth = Math.max(4, ...names.map(({ length }) => length));
  const barWidth = Math.max(16, width - nameWidth - 44);
  const least = criticalPath.map(({ share }) => share).toSorted((a, b) => b - a)[maxDrawn - 1] ?? 0;
  let left = maxDrawn;
  const lines: string[] = [];
  let skipped = 0;
  for (const [i, task] of criticalPath.entries()) {
    if (task.share < least || left === 0) {
      skipped++;
      continue;
    }
    left--;
    lines.push(
      [
        (names[i] ?? "").padEnd(nameWidth),
        bar(task, Date.parse(from), wallMs, barWidth, paint),
        ...[task.gapMs + task.betweenMs, task.queueMs, task.runMs].map((ms) => duration(ms).padStart(8)),
        `${(task.share * 100).toFixed(1)}%`.padStart(7),
      ].join("  "),
    );
  }
  const header = [
    "TASK".padEnd(nameWidth),
    "".padEnd(barWidth),
    ...["GAP", "QUEUE", "RUN"].map((word) => word.padStart(8)),
    "SHARE".padStart(7),
  ].join("  ");
  const whole = timeBetween(from, until);
  return [
    `critical path: ${criticalPath.length} of ${tasks} tasks, ${summary.resolved ? whole : `${whole} so far`}`,
    "",
    paint.dim(header),
    ...lines,
    ...(skipped > 0 ? [paint.dim(`and ${skipped} tasks with smaller shares`)] : []),
    "",
    `${paint.yellow("▒")} waiting for a worker  ${paint.green("█")} running  ${paint.dim("·")} neither`,
    `all tasks together: ${duration(sums.queueMs)} waiting for workers, ${duration(sums.runMs)} running`,
  ];
}

/** Dots where nothing could be done, then the queue, then the run; at least a cell for what took any time. */
function bar(task: PathTask, start: number, wallMs: number, width: number, paint: Painter): string {
  const scale = (ms: number): number => (wallMs === 0 ? 0 : Math.round((ms / wallMs) * width));
  const begin = Math.min(width - 1, scale(Date.parse(task.from) - start));
  const end = Math.max(begin + 1, Math.min(width, scale(Date.parse(task.until) - start)));
  const room = end - begin;
  const total = task.gapMs + task.betweenMs + task.queueMs + task.runMs;
  const part = (ms: number): number => (total === 0 ? 0 : Math.floor((ms / total) * room));
  const gap = part(task.gapMs + task.betweenMs);
  const queue = part(task.queueMs);
  return [
    " ".repeat(begin),
    paint.dim("·".repeat(gap)),
    paint.yellow("▒".repeat(queue)),
    paint.green("█".repeat(room - gap - queue)),
    " ".repeat(width - end),
  ].join("");
}

const duration = (ms: number): string => timeBetween(new Date(0).toISOString(), new Date(ms).toISOString());
