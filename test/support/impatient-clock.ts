// A clock for back-offs: whoever waits waits no longer than a turn of the event loop, and how long it would have been
// is written down.
import type { Clock } from "../../src/lib/clock.ts";

export interface ImpatientClock extends Clock {
  /** What was waited for so far, in milliseconds. */
  readonly waits: number[];
}

/** Delays of `limitMs` and more are limits of time rather than waits: they never end. */
export function impatientClock(limitMs: number): ImpatientClock {
  const waits: number[] = [];
  return {
    waits,
    now: () => Date.now(),
    after(ms, callback) {
      if (ms >= limitMs) return () => undefined;
      waits.push(ms);
      const turn = setImmediate(callback);
      return () => clearImmediate(turn);
    },
  };
}
