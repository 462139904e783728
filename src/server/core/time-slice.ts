// Splits long computations into time slices, so that other requests of the process are served in between.
import { setImmediate } from "node:timers/promises";

export interface TimeSlice {
  /** Reports whether the slice is used up. Costs 50 ns, so check it in every iteration. */
  isOver(): boolean;
  /** Yields to the event loop, then starts the next slice. */
  next(): Promise<void>;
}

/**
 * Starts a time slice of `ms` milliseconds. Use it as `if (slice.isOver()) await slice.next();`. Reads the real clock
 * and not the injected one, because real time is what other requests wait for.
 */
export function startTimeSlice(ms = 8): TimeSlice {
  let until = performance.now() + ms;
  return {
    isOver: () => performance.now() >= until,
    async next() {
      await setImmediate();
      until = performance.now() + ms;
    },
  };
}
