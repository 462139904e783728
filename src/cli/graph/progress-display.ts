// Shows the progress of a graph: bars that are redrawn on a terminal, occasional lines elsewhere.
import { stripVTControlCharacters } from "node:util";
import { counted } from "../../lib/counted.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { timeBetween } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import type { GraphProgress, State } from "./graph-progress.ts";

export interface ProgressDisplay {
  /** Shows the current progress. Call it after every change. */
  update(): void;
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
  let drawn = 0;
  let changed = true;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  const draw = (): void => {
    const width = Math.max(30, (stderr.columns ?? 80) - 1);
    const lines = progressLines(name, progress, colors, width, started, new Date().toISOString());
    stderr.write(`${erase()}${wrapOff}${lines.map((line) => `${line}\n`).join("")}${wrapOn}`);
    drawn = lines.length;
    changed = false;
  };
  draw();
  const timer = setInterval(() => {
    // Redrawn even without changes while tasks run, since it shows their run time.
    if (changed || progress.counts.running > 0) draw();
  }, drawMs);
  return {
    update: () => void (changed = true),
    print(text) {
      stderr.write(`${erase()}${text}\n`);
      drawn = 0;
      draw();
    },
    stop() {
      clearInterval(timer);
      stderr.write(erase());
      drawn = 0;
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
    .filter(([state]) => counts[state] > 0 || (state !== "failed" && state !== "exception"))
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
  if (state === "failed" || state === "exception") return colors.red;
  return state === "running" ? colors.yellow : (text) => text;
}

/** Truncates a line that is too long, with an ellipsis. */
const fitted = (line: string, width: number): string =>
  stripVTControlCharacters(line).length <= width
    ? line
    : `${stripVTControlCharacters(line).slice(0, width - 1)}…`;

/** Prints a line for each tenth of the tasks that is resolved. */
function lineDisplay(io: Io, progress: GraphProgress): ProgressDisplay {
  let printed = 0;
  return {
    update() {
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
