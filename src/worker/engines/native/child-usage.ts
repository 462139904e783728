// CPU time of ended commands. Node does not provide it for children. Linux keeps the sum for all children that a process
// has waited for, so the increase of that sum belongs to the command that has just ended.
import { processStat } from "../../proc-stat.ts";

export interface ChildUsage {
  /** Returns the CPU time in ms of children that ended since the last call, or undefined where it is not available. */
  take(): { readonly userMs: number; readonly systemMs: number } | undefined;
}

/** One per engine. If two commands end in the same iteration of the event loop, the first gets the time of both. */
export function childUsage(): ChildUsage {
  let last = processStat("self");
  return {
    take() {
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
