// The next value of an iterator or the end of a time, whichever is first, without asking twice.
import { createAsyncEvent, type AsyncEvent } from "../async-event.ts";
import type { Clock } from "../../../lib/clock.ts";

export interface Pull<T> {
  /** The next value; undefined where `ms` pass or somebody rings before it is there. Rejects as the iterator does. */
  next(ms: number): Promise<IteratorResult<T> | undefined>;
  /** Makes a `next` that waits answer undefined. */
  readonly set: AsyncEvent["set"];
}

/**
 * Not a race between the promise of the next value and a timer: each round would leave a callback on that
 * promise, and a stream of events may be idle for weeks.
 */
export function pullFrom<T>(iterator: AsyncIterator<T>, clock: Clock): Pull<T> {
  const wake = createAsyncEvent(clock);
  let asked = false;
  let answer: { result: IteratorResult<T> } | { err: unknown } | undefined;

  async function ask(): Promise<void> {
    asked = true;
    try {
      answer = { result: await iterator.next() };
    } catch (err) {
      answer = { err };
    }
    wake.set();
  }

  return {
    set: wake.set,
    async next(ms) {
      if (!asked) void ask();
      if (!answer) await wake.wait(ms);
      const given = answer;
      if (!given) return undefined;
      asked = false;
      answer = undefined;
      if ("err" in given) throw given.err;
      return given.result;
    },
  };
}
