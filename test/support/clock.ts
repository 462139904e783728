// A clock that stands still until a test moves it.
import type { Clock } from "../../src/lib/clock.ts";

export interface ManualClock extends Clock {
  /** Moves the time on and runs the timers that fall due on the way, each at its own time and in order. */
  advance(ms: number): Promise<void>;
  /** Steps the time of day only, as an administrator or NTP would: timers neither run nor move. */
  setNow(ms: number): void;
  /** How many timers wait. */
  pending(): number;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A manual clock that shows `start` (default: the first moment of 2026). */
export function manualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  // Timers follow a steady clock of their own, as the machine's do, so that a step of the date leaves them alone.
  let steady = 0;
  let offset = start;
  const timers = new Set<Timer>();

  /** The timer that falls due first, no later than `until`; of equals the one set first. */
  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  return {
    now: () => offset + steady,
    after(ms, callback) {
      const timer: Timer = { due: steady + Math.max(0, ms), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = steady + ms;
      await settle();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        steady = timer.due;
        timer.callback();
        await settle();
      }
      steady = until;
    },
    setNow(ms) {
      offset = ms - steady;
    },
    pending: () => timers.size,
  };
}

/**
 * Lets promises that wait for nothing outside go on. One turn of the event loop drains every chain of
 * promises; a few more serve code that itself yields with setImmediate (loops, coalesced writes).
 */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
