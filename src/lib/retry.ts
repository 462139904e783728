// Waiting with a limit: retries with backoff, pauses and timeouts.
import { backoffDelay, type Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { linkSignals, onAbort } from "./linked-signal.ts";
import { InternalError } from "./internal-error.ts";

export interface RetryOptions {
  /** Tries in all, including the first. `Infinity` retries until the signal aborts. */
  readonly tries: number;
  /** Reports whether another try makes sense after this error. */
  retryable(error: unknown): boolean;
  /** How long to wait between tries. Default: not at all. */
  readonly delay?: RetryDelay;
  /** Ends the waiting and the retrying. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface RetryDelay {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** The shortest delay after this error in milliseconds, for example the one that a server requests. */
  readonly minMs?: (error: unknown) => number;
}

/** Calls `attempt` until it succeeds, an error is final or the tries are used up. Then rejects with the last error. */
export async function retry<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { tries, delay, signal } = options;
  for (let failures = 0; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (failures + 1 >= tries || !options.retryable(error)) throw error;
      if (delay === undefined) continue;
      const ms = Math.max(backoffDelay(failures, delay.backoff), delay.minMs?.(error) ?? 0);
      await pause(delay.clock, ms, signal);
    }
  }
}

/** Resolves after `ms` milliseconds. Rejects with the signal's reason as soon as it aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let ignoreAbort = (): void => undefined;
    const cancel = clock.after(ms, () => {
      ignoreAbort();
      resolve();
    });
    const stop = (): void => {
      cancel();
      reject(reasonOf(signal));
    };
    if (signal?.aborted) stop();
    else if (signal) ignoreAbort = onAbort(signal, stop);
  });
}

/** The error of `withTimeout` when time runs out. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

export interface TimeoutOptions {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** Names the work in the error message: "the hook" results in "the hook took longer than 5 seconds". */
  readonly what: string;
}

/**
 * Runs `work` for at most `ms` milliseconds. Rejects with a `TimeoutError` when time runs out, and with the signal's
 * reason when that aborts first, both without waiting for `work`. The signal passed to `work` aborts in either case.
 */
export async function withTimeout<T>(
  { clock, ms, signal, what }: TimeoutOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const limit = linkSignals(signal);
  const cancel = clock.after(ms, () => {
    // oxlint-disable-next-line messages/next-step -- those who set the limit know what to do, and catch the class
    limit.abort(new TimeoutError(`${what} took longer than ${Math.round(ms / 1000)} seconds`));
  });
  const aborted = new Promise<never>((_, reject) => {
    // Registered before any listener of `work`, so that this rejection precedes the one that the abort causes there.
    limit.signal.addEventListener("abort", () => reject(reasonOf(limit.signal)), { once: true });
  });
  try {
    return await Promise.race([work(limit.signal), aborted]);
  } finally {
    cancel();
    limit.dispose();
  }
}

const reasonOf = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new InternalError("aborted", { cause: signal?.reason });
