// What Linux tells of processes in /proc/<pid>/stat. Elsewhere there is nothing to read, and every answer is empty.
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** The process group. */
  readonly group: number;
  /** When it began, in the kernel's ticks since the machine started: with the id it names one process for good. */
  readonly began: number;
  /** False for a zombie, which is dead, and waits for a parent that may never ask. */
  readonly alive: boolean;
  /** Processor time in ms of all children that it has waited for. */
  readonly childrenUserMs: number;
  readonly childrenSystemMs: number;
}

// The unit of times in this file, fixed at 100 a second for programs whatever the kernel's own rate.
const msPerTick = 10;

/** Undefined where the process is gone. A buffer may be lent to those who ask for many. */
export function processStat(
  pid: number | "self",
  buffer = Buffer.allocUnsafe(2048),
): ProcessStat | undefined {
  const line = readLine(`/proc/${pid}/stat`, buffer);
  if (line === undefined) return undefined;
  // The name stands in parentheses and may itself hold anything; what follows the last one is regular.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const number = (index: number): number => Number(fields[index]);
  return {
    pid: Number.parseInt(line, 10),
    parent: number(1),
    group: number(2),
    began: number(19),
    alive: fields[0] !== "Z" && fields[0] !== "X",
    childrenUserMs: number(13) * msPerTick,
    childrenSystemMs: number(14) * msPerTick,
  };
}

/**
 * All processes of the machine. Read without awaiting, for the picture should be of one moment; 220 processes take
 * 4 ms of the processor (6 ms by readFileSync, which asks for each file's size first).
 */
export function* allProcesses(): Generator<ProcessStat> {
  const buffer = Buffer.allocUnsafe(2048);
  for (const name of processIds()) {
    const stat = processStat(Number(name), buffer);
    if (stat !== undefined) yield stat;
  }
}

function processIds(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function readLine(path: string, buffer: Buffer): string | undefined {
  try {
    const file = openSync(path, "r");
    try {
      return buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
