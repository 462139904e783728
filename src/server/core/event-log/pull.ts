// Waits for the next value of an iterator with a timeout, without requesting the value twice.
import type { Clock } from "../../../lib/clock.ts";
import { createAsyncEvent, type AsyncEvent } from "../async-event.ts";

export interface Pull<T> {
  /** Returns the next value, or undefined after `ms` or `set`, whichever is first. Rejects if the iterator does. */
  next(ms: number): Promise<IteratorResult<T> | undefined>;
  /** Makes a pending `next` return undefined. */
  readonly set: AsyncEvent["set"];
}

/**
 * Wraps an iterator. A race between the promise of the next value and a timer was rejected: each timeout would leave a
 * callback on that promise, and a stream of events may be idle for weeks.
 */
export function pullFrom<T>(iterator: AsyncIterator<T>, clock: Clock): Pull<T> {
  const wake = createAsyncEvent(clock);
  let requested = false;
  let settled: { result: IteratorResult<T> } | { err: unknown } | undefined;

  async function request(): Promise<void> {
    requested = true;
    try {
      settled = { result: await iterator.next() };
    } catch (err) {
      settled = { err };
    }
    wake.set();
  }

  return {
    set: wake.set,
    async next(ms) {
      if (!requested) void request();
      if (!settled) await wake.wait(ms);
      const taken = settled;
      if (!taken) return undefined;
      requested = false;
      settled = undefined;
      if ("err" in taken) throw taken.err;
      return taken.result;
    },
  };
}
