// Write coalescing: concurrent calls of one kind share a statement over arrays.
//
// While `concurrency` batches are in flight, further calls are queued for the next one. So batches grow with the load, and
// a single call never waits for others. A bad item does not affect its neighbors: a batch that fails is split until the
// item is alone.
import { setImmediate } from "node:timers";
import { backoffDelay } from "../../lib/backoff.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { counted } from "../../lib/counted.ts";
import { InternalError } from "../../lib/internal-error.ts";

export interface CoalesceOptions<I, O> {
  /** Of the statement, for errors. */
  readonly name: string;
  /**
   * Processes all items in one transaction: if it rejects, nothing may have changed. Results are positional. An Error
   * among them rejects only the call of its item.
   */
  readonly run: (items: readonly I[]) => Promise<readonly (O | Error)[]>;
  readonly maxBatch: number;
  /** The maximum of concurrent batches. */
  readonly concurrency: number;
  /** Items with the same key are processed one by one in the order of their calls, never in one batch. */
  readonly key?: (item: I) => string;
  /** Transient failures, such as a deadlock: the batch is tried up to five times. */
  readonly isRetryable?: (err: unknown) => boolean;
  /** Failures that no item caused, such as a lost database: all calls of the batch fail without a split. */
  readonly isFatal?: (err: unknown) => boolean;
  /** Called with the size of each batch when it starts. */
  readonly onBatch?: (size: number) => void;
  readonly clock?: Clock;
}

/** A function whose concurrent calls share statements. */
export type Coalesced<I, O> = ((item: I) => Promise<O>) & {
  /** Resolves when no call is in flight or queued. */
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
  /** Keys of calls that are ready or in flight, with the later calls that wait for them. */
  const busyKeys = new Map<string, Call<I, O>[]>();
  let inFlight = 0;
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
    if (flushing || inFlight >= concurrency) return;
    flushing = true;
    // At the end of this iteration of the event loop, not in a microtask: requests that arrived together are read in one
    // iteration, each followed by its own microtasks. Measured with 64 HTTP callers and two batches in flight: 22 items
    // per batch instead of 14, 7,200 calls/s instead of 6,000. A single call takes the same time either way.
    setImmediate(flush);
  }

  function flush(): void {
    flushing = false;
    while (ready.length > 0 && inFlight < concurrency) {
      const batch = ready.slice(0, maxBatch);
      ready = ready.slice(maxBatch);
      inFlight++;
      void settle(batch, 1).then(() => leave(batch));
    }
  }

  /** Releases the keys and the slot of a settled batch. */
  function leave(batch: readonly Call<I, O>[]): void {
    inFlight--;
    for (const { key } of batch) {
      if (key === undefined) continue;
      const next = busyKeys.get(key)?.shift();
      if (next === undefined) busyKeys.delete(key);
      else ready.push(next);
    }
    if (ready.length > 0) flushSoon();
    else if (inFlight === 0) {
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
        call.reject(
          new InternalError(
            `${name} returned ${counted(results.length, "result")} for ${counted(batch.length, "item")}`,
          ),
        );
      } else if (result instanceof Error) call.reject(result);
      // The length was checked, so undefined is a result of type O here, not a gap.
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
        // Halving: one bad item among 64 costs 12 more statements instead of 64. The halves keep the count of tries, so
        // that splits do not multiply the tries of a batch that failed five times.
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
        if (inFlight === 0 && ready.length === 0) resolve();
        else idlers.push(resolve);
      }),
  });
}
