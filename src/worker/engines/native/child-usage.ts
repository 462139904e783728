// Processor time of ended commands. Node offers no such figure for children; Linux keeps the sum for all children that
// a process has waited for, so the growth of that sum belongs to the command that ended just now.
import { processStat } from "../../proc-stat.ts";

export interface ChildUsage {
  /** Processor time in ms of children that ended since the last call, or undefined where it cannot be known. */
  taken(): { readonly userMs: number; readonly systemMs: number } | undefined;
}

/** One for each engine. Two commands that end in the same turn of the event loop share the first one's account. */
export function childUsage(): ChildUsage {
  let last = processStat("self");
  return {
    taken() {
      const now = processStat("self");
      const before = last;
      last = now;
      if (now === undefined || before === undefined) return undefined;
      return {
        userMs: now.childrenUserMs - before.childrenUserMs,
        systemMs: now.childrenSystemMs - before.childrenSystemMs,
      };
    },
  };
}
