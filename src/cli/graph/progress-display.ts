// Shows how a graph comes along: bars that are drawn again and again where a person looks, else a line now and then.
import { stripVTControlCharacters } from "node:util";
import { timeBetween } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import { colorsFor, type Colors } from "../colors.ts";
import type { GraphProgress, State } from "./graph-progress.ts";

export interface ProgressDisplay {
  /** Something has changed. */
  changed(): void;
  /** Says something that stays. */
  writeLine(text: string): void;
  /** Takes the bars away. */
  stop(): void;
}

// Some letters are two columns wide, and which they are is the terminal's business: a line that would wrap could not be
// erased again, so it is cut off there.
const noWrap = "\u001b[?7l";
const wrap = "\u001b[?7h";

/** Redrawn no more often, since nobody reads faster. */
const drawMs = 100;
const maxRunning = 5;

/** The bars in their order, with what people call the states. */
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
  return isTerminal ? liveDisplay(io, name, progress) : plainDisplay(io, progress);
}

function liveDisplay(io: Io, name: string, progress: GraphProgress): ProgressDisplay {
  const { stderr } = io;
  const colors = colorsFor(stderr, io.env);
  const began = new Date().toISOString();
  let drawn = 0;
  let dirty = true;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  const draw = (): void => {
    const width = Math.max(30, (stderr.columns ?? 80) - 1);
    const lines = progressLines(name, progress, colors, width, began, new Date().toISOString());
    stderr.write(`${erase()}${noWrap}${lines.map((line) => `${line}\n`).join("")}${wrap}`);
    drawn = lines.length;
    dirty = false;
  };
  draw();
  const timer = setInterval(() => {
    // Also where nothing changed while tasks run: time goes on.
    if (dirty || progress.counts.running > 0) draw();
  }, drawMs);
  return {
    changed: () => void (dirty = true),
    writeLine(text) {
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

/** The display as lines of at most `width` columns. */
export function progressLines(
  name: string,
  { counts, running, total }: GraphProgress,
  colors: Colors,
  width: number,
  began: string,
  now: string,
): string[] {
  const over = counts.completed + counts.failed + counts.exception;
  const percent = total === 0 ? 100 : Math.floor((over / total) * 100);
  const digits = String(total).length;
  const barWidth = Math.max(10, Math.min(50, width - digits - 15));
  const bars = rows
    .filter(([state]) => counts[state] > 0 || (state !== "failed" && state !== "exception"))
    .map(([state, word]) => {
      const share = total === 0 ? 0 : counts[state] / total;
      // One task of many still shows.
      const length = counts[state] === 0 ? 0 : Math.max(1, Math.floor(share * barWidth));
      const bar = colorOf(state, colors)("█".repeat(length)) + colors.dim("░".repeat(barWidth - length));
      return `  ${word.padEnd(9)}  ${bar}  ${String(counts[state]).padStart(digits)}`;
    });
  const shown = [...running]
    .slice(0, maxRunning)
    .map(({ task, started }) =>
      fitted(`  ${colors.yellow("▸")} ${task.name}  ${colors.dim(timeBetween(started, now))}`, width),
    );
  const more = counts.running - shown.length;
  return [
    fitted(`${colors.bold(name)}  ${over} of ${total}  ${percent}%  ${timeBetween(began, now)}`, width),
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

/** With an ellipsis where it is too long. */
const fitted = (line: string, width: number): string =>
  stripVTControlCharacters(line).length <= width
    ? line
    : `${stripVTControlCharacters(line).slice(0, width - 1)}…`;

/** A line for each tenth that is done. */
function plainDisplay(io: Io, progress: GraphProgress): ProgressDisplay {
  let told = 0;
  return {
    changed() {
      const { counts, total } = progress;
      const over = counts.completed + counts.failed + counts.exception;
      const tenth = Math.floor((over / total) * 10);
      if (tenth <= told) return;
      told = tenth;
      writeLine(io.stderr, `${over} of ${total} tasks are done: ${countsInWords(counts)}`);
    },
    writeLine: (text) => writeLine(io.stderr, text),
    stop: () => undefined,
  };
}

/** `412 completed, 2 running`: the states that there are. */
export const countsInWords = (counts: GraphProgress["counts"]): string =>
  rows
    .filter(([state]) => counts[state] > 0)
    .map(([state, word]) => `${counts[state]} ${word}`)
    .join(", ");
