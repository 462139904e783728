// Time as a dependency. Code that reads the time or waits takes a Clock, so that tests control both.

/** A source of time. `now` is milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /**
   * Runs `callback` once, `ms` milliseconds from now. The returned function cancels it. The upper limit is 2^31-1 ms
   * (24.8 days); callers must split longer delays.
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
