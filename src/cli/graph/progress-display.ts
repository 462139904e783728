// Shows the progress of a graph: bars that are redrawn on a terminal, occasional lines elsewhere.
import { stripVTControlCharacters } from "node:util";
import { counted } from "../../lib/counted.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { fitted, timeBetween } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import type { GraphProgress, State, TaskProgress } from "./graph-progress.ts";

export interface ProgressDisplay {
  /** Shows the current progress. Call it after every change, with the task that has changed if it is worth a line. */
  update(task: TaskProgress | undefined): void;
  /** Prints a line that stays. */
  print(text: string): void;
  /** Removes the bars. */
  stop(): void;
}

// Wrapping is off while drawing. Terminals differ in which letters are two columns wide, and a line that wrapped could not
// be erased.
const wrapOff = "\u001b[?7l";
const wrapOn = "\u001b[?7h";

/** Shortest time between redraws. Nobody reads faster. */
const drawMs = 100;
const maxRunning = 5;
/** The clock is redrawn at least this often. */
const clockMs = 1000;
/** Failures that are printed one by one above the bars. */
const maxFailures = 20;

/** The states in the order of their bars, with their names. */
const rows: readonly (readonly [State, string])[] = [
  ["completed", "completed"],
  ["failed", "failed"],
  ["exception", "exception"],
  ["running", "running"],
  ["pending", "pending"],
  ["unscheduled", "waiting"],
];

export function startProgressDisplay(io: Io, name: string, progress: GraphProgress): ProgressDisplay {
  const isTerminal = io.stderr.isTTY === true && io.env["TERM"] !== "dumb";
  return isTerminal ? barDisplay(io, name, progress) : lineDisplay(io, progress);
}

function barDisplay(io: Io, name: string, progress: GraphProgress): ProgressDisplay {
  const { stderr } = io;
  const colors = colorsFor(stderr, io.env);
  const started = new Date().toISOString();
  let drawn: readonly string[] = [];
  let drawnAt = 0;
  let changed = true;
  let failures = 0;
  const columns = (): number => stderr.columns ?? 80;
  // Most terminals rewrap lines when the window gets narrower, also those that were drawn without wrapping.
  const rowsOf = (line: string): number =>
    Math.max(1, Math.ceil(stripVTControlCharacters(line).length / Math.max(1, columns())));
  const erase = (): string => {
    const rowCount = drawn.reduce((sum, line) => sum + rowsOf(line), 0);
    return rowCount === 0 ? "" : `\u001b[${rowCount}A\u001b[0J`;
  };
  const draw = (): void => {
    const width = Math.max(30, columns() - 1);
    const lines = progressLines(name, progress, colors, width, started, new Date().toISOString());
    stderr.write(`${erase()}${wrapOff}${lines.map((line) => `${line}\n`).join("")}${wrapOn}`);
    drawn = lines;
    drawnAt = performance.now();
    changed = false;
  };
  draw();
  const timer = setInterval(() => {
    // Redrawn even without changes while tasks run, since it shows their run time.
    if (changed || progress.counts.running > 0 || performance.now() - drawnAt >= clockMs) draw();
  }, drawMs);
  const print = (text: string): void => {
    stderr.write(`${erase()}${text}\n`);
    drawn = [];
    draw();
  };
  return {
    update(task) {
      changed = true;
      if (task && isFailure(task.state) && failures++ < maxFailures) print(changeText(task, colors));
    },
    print,
    stop() {
      clearInterval(timer);
      stderr.write(erase());
      drawn = [];
    },
  };
}

/** Formats the display as lines of at most `width` columns. */
export function progressLines(
  name: string,
  { counts, running, total }: GraphProgress,
  colors: Colors,
  width: number,
  started: string,
  now: string,
): string[] {
  const resolved = resolvedCount(counts);
  const percent = total === 0 ? 100 : Math.floor((resolved / total) * 100);
  const digits = String(total).length;
  const barWidth = Math.max(10, Math.min(50, width - digits - 15));
  const bars = rows
    .filter(([state]) => counts[state] > 0 || !isFailure(state))
    .map(([state, word]) => {
      const share = total === 0 ? 0 : counts[state] / total;
      // A single task among many is still visible.
      const length = counts[state] === 0 ? 0 : Math.max(1, Math.floor(share * barWidth));
      const bar = colorOf(state, colors)("█".repeat(length)) + colors.dim("░".repeat(barWidth - length));
      return `  ${word.padEnd(9)}  ${bar}  ${String(counts[state]).padStart(digits)}`;
    });
  const shown = [...running]
    .slice(0, maxRunning)
    .map(({ task, started: since }) =>
      fitted(`  ${colors.yellow("▸")} ${task.name}  ${colors.dim(timeBetween(since, now))}`, width),
    );
  const more = counts.running - shown.length;
  return [
    fitted(`${colors.bold(name)}  ${resolved} of ${total}  ${percent}%  ${timeBetween(started, now)}`, width),
    ...bars,
    ...shown,
    ...(more > 0 ? [`  ${colors.dim(`  and ${more} more`)}`] : []),
  ];
}

function colorOf(state: State, colors: Colors): (text: string) => string {
  if (state === "completed") return colors.green;
  if (isFailure(state)) return colors.red;
  return state === "running" ? colors.yellow : (text) => text;
}

const isFailure = (state: State): boolean => state === "failed" || state === "exception";

/** Formats a change: `completed  lint  2.3s`, `failed  test  taskyard task log ID`. */
function changeText({ task, state, reason, started, resolved }: TaskProgress, colors: Colors): string {
  if (isFailure(state)) {
    const why = state === "failed" ? state : (reason ?? state);
    return `${colors.red(why)}  ${task.name}  taskyard task log ${task.taskId}`;
  }
  return state === "completed"
    ? `${state}  ${task.name}  ${timeBetween(started, resolved)}`
    : `${state}  ${task.name}`;
}

/** Prints a line for each change, and one for each tenth of the tasks that is resolved. */
function lineDisplay(io: Io, progress: GraphProgress): ProgressDisplay {
  let printed = 0;
  const colors = colorsFor(io.stderr, io.env);
  return {
    update(task) {
      // That a task is pending is news only if it is retried.
      if (task && (task.state !== "pending" || task.runs > 1)) writeLine(io.stderr, changeText(task, colors));
      const { counts, total } = progress;
      const resolved = resolvedCount(counts);
      const tenths = Math.floor((resolved / total) * 10);
      if (tenths <= printed) return;
      printed = tenths;
      writeLine(io.stderr, `${resolved} of ${counted(total, "task")} resolved: ${countsText(counts)}`);
    },
    print: (text) => writeLine(io.stderr, text),
    stop: () => undefined,
  };
}

const resolvedCount = (counts: GraphProgress["counts"]): number =>
  counts.completed + counts.failed + counts.exception;

/** Formats the counts that are not zero: `412 completed, 2 running`. */
export const countsText = (counts: GraphProgress["counts"]): string =>
  rows
    .filter(([state]) => counts[state] > 0)
    .map(([state, word]) => `${counts[state]} ${word}`)
    .join(", ");
