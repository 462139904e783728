// Time as a dependency: everything that reads the time or waits gets a Clock, so that tests own both.

/** A source of time. `now` is milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /**
   * Runs `callback` once, `ms` milliseconds from now; the returned function cancels it.
   * A delay beyond 2^31-1 ms (24.8 days) is the caller's fault: split it.
   */
  after(ms: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * The machine's clock with timers that keep a process alive, for waits that a caller awaits. Runs in browsers, whose
 * timers have no `unref`.
 */
export const waitingClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
