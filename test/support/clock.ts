// A clock that only moves when a test moves it.
import type { Clock } from "../../src/lib/clock.ts";

export interface ManualClock extends Clock {
  /** Advances the time and runs the timers that become due, in order, each at its own time. */
  advance(ms: number): Promise<void>;
  /** Steps only the time of day, as an administrator or NTP would: timers neither run nor move. */
  setNow(ms: number): void;
  /** Returns the number of pending timers. */
  pending(): number;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Returns a manual clock that shows `start` (default: the start of 2026). */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  // Timers follow a separate monotonic clock, as in the operating system, so that a step of the date does not affect them.
  let monotonic = 0;
  let offset = start;
  const timers = new Set<Timer>();

  /** Returns the first timer that is due by `until`. Of equals it is the one that was set first. */
  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  return {
    now: () => offset + monotonic,
    after(ms, callback) {
      const timer: Timer = { due: monotonic + Math.max(0, ms), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = monotonic + ms;
      await settle();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        monotonic = timer.due;
        timer.callback();
        await settle();
      }
      monotonic = until;
    },
    setNow(ms) {
      offset = ms - monotonic;
    },
    pending: () => timers.size,
  };
}

/**
 * Settles promises that do not wait for I/O. One iteration of the event loop drains every chain of promises;
 * the others are for code that itself yields with setImmediate (loops, coalesced writes).
 */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
