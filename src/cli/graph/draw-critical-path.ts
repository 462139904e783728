// Draws the critical path of a group as text: a line per task, with its time as a bar on the time axis of the group.
import type { PathTask, Timeline } from "../../api/queue/graph.ts";
import { counted } from "../../lib/counted.ts";
import type { Colors } from "../colors.ts";
import { fitted, oneLine, timeBetween } from "../format.ts";

type Summary = NonNullable<Timeline["summary"]>;

/** Of a longer path only the tasks with the largest shares are drawn. */
const maxDrawn = 40;

const header = ["GAP", "QUEUE", "RUN", "SHARE"] as const;
/** Narrower bars are not drawn: they show nothing. */
const minBar = 12;

/** Returns the lines, of at most `width` columns if possible. `asOf`: when the timeline was read. */
export function drawCriticalPath(summary: Summary, asOf: string, colors: Colors, width: number): string[] {
  const { criticalPath, wallMs, from, until, tasks, stuck, sums } = summary;
  const cells = criticalPath.map((task) => [
    duration(task.gapMs + task.betweenMs),
    duration(task.queueMs),
    duration(task.runMs),
    `${(task.share * 100).toFixed(1)}%`,
  ]);
  const widths = header.map((word, i) => Math.max(word.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const room = width - widths.reduce((sum, one) => sum + one + 2, 0);
  const maxName = Math.min(30, Math.max(8, room));
  const names = criticalPath.map(({ name }) => fitted(oneLine(name), maxName));
  const nameWidth = Math.max(4, ...names.map(({ length }) => length));
  const barWidth = room - nameWidth - 2;
  const hasBars = barWidth >= minBar;
  const row = (name: string, drawn: string, values: readonly string[]): string =>
    [
      name.padEnd(nameWidth),
      ...(hasBars ? [drawn] : []),
      ...values.map((value, i) => value.padStart(widths[i] ?? 0)),
    ].join("  ");
  const minShare = criticalPath.map(({ share }) => share).toSorted((a, b) => b - a)[maxDrawn - 1] ?? 0;
  let left = maxDrawn;
  const lines: string[] = [];
  let skipped = 0;
  for (const [i, task] of criticalPath.entries()) {
    if (task.share < minShare || left === 0) {
      skipped++;
      continue;
    }
    left--;
    lines.push(
      row(
        names[i] ?? "",
        hasBars ? bar(task, Date.parse(from), wallMs, barWidth, colors) : "",
        cells[i] ?? [],
      ),
    );
  }
  const whole = timeBetween(from, until);
  return [
    `critical path: ${criticalPath.length} of ${counted(tasks, "task")}, ${!summary.resolved && until === asOf ? `${whole} so far` : whole}`,
    ...(stuck > 0
      ? [`not included: ${counted(stuck, "task that waits", "tasks that wait")} for a failed task`]
      : []),
    "",
    colors.dim(row("TASK", " ".repeat(Math.max(0, barWidth)), header)),
    ...lines,
    ...(skipped > 0 ? [colors.dim(`and ${counted(skipped, "task")} with smaller shares`)] : []),
    "",
    ...(hasBars
      ? [
          `${colors.yellow("▒")} waiting for a worker  ${colors.green("█")} running  ${colors.dim("·")} neither`,
        ]
      : []),
    `total of all tasks: ${duration(sums.queueMs)} waiting for workers, ${duration(sums.runMs)} running`,
  ];
}

/** Draws dots for gaps, then the queue time, then the run time. A task gets at least one cell. */
function bar(task: PathTask, start: number, wallMs: number, width: number, colors: Colors): string {
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
    colors.dim("·".repeat(gap)),
    colors.yellow("▒".repeat(queue)),
    colors.green("█".repeat(room - gap - queue)),
    " ".repeat(width - end),
  ].join("");
}

const duration = (ms: number): string => timeBetween(new Date(0).toISOString(), new Date(ms).toISOString());
