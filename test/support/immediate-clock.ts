// A clock for tests of backoffs: timers fire in the next iteration of the event loop, and their delays are recorded.
import type { Clock } from "../../src/lib/clock.ts";

export interface ImmediateClock extends Clock {
  /** The delays so far, in milliseconds. */
  readonly waits: number[];
}

/** Creates the clock. Timers of `limitMs` and more are timeouts rather than backoffs: they never fire. */
export function immediateClock(limitMs: number): ImmediateClock {
  const waits: number[] = [];
  return {
    waits,
    now: () => Date.now(),
    after(ms, callback) {
      if (ms >= limitMs) return () => undefined;
      waits.push(ms);
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
}
