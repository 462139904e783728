// Reads /proc/<pid>/stat of Linux. On other systems there is no such file, and every result is empty.
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** The process group. */
  readonly group: number;
  /** Start time in the kernel's ticks since boot. Together with the id it identifies a process uniquely. */
  readonly startTicks: number;
  /** False for a zombie: it has ended, and its parent may never wait for it. */
  readonly alive: boolean;
  /** CPU time in ms of all children that it has waited for. */
  readonly childrenUserMs: number;
  readonly childrenSystemMs: number;
}

// The unit of times in this file: 100 ticks per second for user space, independent of the kernel's own rate.
const msPerTick = 10;

/** Returns undefined if the process does not exist. Callers that read many processes can share a buffer. */
export function processStat(
  pid: number | "self",
  buffer = Buffer.allocUnsafe(2048),
): ProcessStat | undefined {
  const line = readLine(`/proc/${pid}/stat`, buffer);
  if (line === undefined) return undefined;
  // The name is in parentheses and may contain any character. The fields after the last parenthesis are regular.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const number = (index: number): number => Number(fields[index]);
  return {
    pid: Number.parseInt(line, 10),
    parent: number(1),
    group: number(2),
    startTicks: number(19),
    alive: fields[0] !== "Z" && fields[0] !== "X",
    childrenUserMs: number(13) * msPerTick,
    childrenSystemMs: number(14) * msPerTick,
  };
}

/**
 * Yields all processes of the machine. Reads synchronously, so that the result shows one moment. 220 processes take 4 ms
 * of CPU time (6 ms with readFileSync, which requests the size of each file first).
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
