// Processor time of ended commands. Node offers no such figure for children; Linux keeps the sum for all children that
// a process has waited for, so the growth of that sum belongs to the command that ended just now.
import { readFileSync } from "node:fs";

export interface ChildUsage {
  /** Processor time in ms of children that ended since the last call, or undefined where it cannot be known. */
  taken(): { readonly userMs: number; readonly systemMs: number } | undefined;
}

// The unit of these figures in /proc, fixed at 100 a second for programs whatever the kernel's own rate.
const msPerTick = 10;

/** One for each engine. Two commands that end in the same turn of the event loop share the first one's account. */
export function childUsage(): ChildUsage {
  let last = read();
  return {
    taken() {
      const now = read();
      const before = last;
      last = now;
      if (now === undefined || before === undefined) return undefined;
      return { userMs: now.userMs - before.userMs, systemMs: now.systemMs - before.systemMs };
    },
  };
}

function read(): { userMs: number; systemMs: number } | undefined {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    // Counted from the state, the first field after the name: user and system time of waited-for children.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { userMs: Number(fields[13]) * msPerTick, systemMs: Number(fields[14]) * msPerTick };
  } catch {
    return undefined;
  }
}
