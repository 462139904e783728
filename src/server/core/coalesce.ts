// Write coalescing: concurrent calls of one kind share a statement over arrays.
//
// While `concurrency` batches are under way, further calls gather and leave together in the next one; so batches
// grow with the load and a lone call never waits for company. What one item does never harms another: a batch
// that fails is taken apart until the bad item stands alone.
import { setImmediate } from "node:timers";
import { backoffDelay } from "../../lib/backoff.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";

export interface CoalesceOptions<I, O> {
  /** Of the statement, for errors. */
  readonly name: string;
  /**
   * Does the work of all items at once, in one transaction: if it rejects, none of it may have happened. The
   * result is positional; an Error in it rejects the call of that item alone.
   */
  readonly run: (items: readonly I[]) => Promise<readonly (O | Error)[]>;
  readonly maxBatch: number;
  /** Batches under way at once, at most. */
  readonly concurrency: number;
  /** Items with the same key go one after the other, in the order of their calls, never in one batch. */
  readonly key?: (item: I) => string;
  /** Failures of a batch that may vanish by themselves, such as a deadlock: the batch runs up to five times. */
  readonly isRetryable?: (err: unknown) => boolean;
  /** Failures that no single item is to blame for, such as a lost database: all calls fail at once. */
  readonly isFatal?: (err: unknown) => boolean;
  /** Told the size of every batch that starts. */
  readonly onBatch?: (size: number) => void;
  readonly clock?: Clock;
}

/** A call that shares its statement with others. */
export type Coalesced<I, O> = ((item: I) => Promise<O>) & {
  /** Resolves when no call is under way or waiting. */
  idle(): Promise<void>;
};

interface Call<I, O> {
  readonly item: I;
  readonly key: string | undefined;
  readonly resolve: (value: O) => void;
  readonly reject: (err: unknown) => void;
}

const maxTries = 5;
const retryBackoff = { baseMs: 5, maxMs: 100, jitter: 0.5 };

export function coalesce<I, O>(options: CoalesceOptions<I, O>): Coalesced<I, O> {
  const { name, run, maxBatch, concurrency, clock = systemClock } = options;
  let ready: Call<I, O>[] = [];
  /** Keys of calls that are ready or under way, with the later calls that must wait for them. */
  const busyKeys = new Map<string, Call<I, O>[]>();
  let underWay = 0;
  let flushing = false;
  let idlers: (() => void)[] = [];

  function enter(call: Call<I, O>): void {
    const waiting = call.key === undefined ? undefined : busyKeys.get(call.key);
    if (waiting !== undefined) {
      waiting.push(call);
      return;
    }
    if (call.key !== undefined) busyKeys.set(call.key, []);
    ready.push(call);
    flushSoon();
  }

  function flushSoon(): void {
    if (flushing || underWay >= concurrency) return;
    flushing = true;
    // The end of this turn of the event loop and not a microtask: requests that arrived together are read in one
    // turn, each with microtasks of its own in between. Measured with 64 HTTP callers and two batches under way:
    // 22 items a batch instead of 14, 7,200 calls/s instead of 6,000; a lone call takes as long either way.
    setImmediate(flush);
  }

  function flush(): void {
    flushing = false;
    while (ready.length > 0 && underWay < concurrency) {
      const batch = ready.slice(0, maxBatch);
      ready = ready.slice(maxBatch);
      underWay++;
      void settle(batch, 1).then(() => leave(batch));
    }
  }

  /** Frees the keys of a settled batch and its place. */
  function leave(batch: readonly Call<I, O>[]): void {
    underWay--;
    for (const { key } of batch) {
      if (key === undefined) continue;
      const next = busyKeys.get(key)?.shift();
      if (next === undefined) busyKeys.delete(key);
      else ready.push(next);
    }
    if (ready.length > 0) flushSoon();
    else if (underWay === 0) {
      for (const resolve of idlers) resolve();
      idlers = [];
    }
  }

  /** Settles every call of the batch; never rejects. `tries` counts this one. */
  async function settle(batch: readonly Call<I, O>[], tries: number): Promise<void> {
    let results: readonly (O | Error)[];
    try {
      options.onBatch?.(batch.length);
      results = await run(batch.map(({ item }) => item));
    } catch (err) {
      await recover(batch, tries, err);
      return;
    }
    batch.forEach((call, i) => {
      const result = results[i];
      if (results.length !== batch.length) {
        call.reject(new Error(`${name} answered ${batch.length} items with ${results.length} results`));
      } else if (result instanceof Error) call.reject(result);
      // The length was checked, so an undefined here is a result of type O and no gap.
      else call.resolve(result as O);
    });
  }

  async function recover(batch: readonly Call<I, O>[], tries: number, err: unknown): Promise<void> {
    if (options.isFatal?.(err) !== true) {
      if (options.isRetryable?.(err) === true && tries < maxTries) {
        await new Promise<void>((resolve) => clock.after(backoffDelay(tries - 1, retryBackoff), resolve));
        return settle(batch, tries + 1);
      }
      if (batch.length > 1) {
        // Halves: one bad item among 64 costs 12 more statements instead of 64. They keep the count of tries,
        // so that a batch which failed five times does not multiply its tries with every split.
        const middle = batch.length >> 1;
        await settle(batch.slice(0, middle), tries);
        return settle(batch.slice(middle), tries);
      }
    }
    for (const call of batch) call.reject(err);
  }

  const call = (item: I): Promise<O> =>
    new Promise((resolve, reject) => {
      enter({ item, key: options.key?.(item), resolve, reject });
    });
  return Object.assign(call, {
    idle: (): Promise<void> =>
      new Promise((resolve) => {
        if (underWay === 0 && ready.length === 0) resolve();
        else idlers.push(resolve);
      }),
  });
}
