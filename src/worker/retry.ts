// Waiting with an end: trying again what may work a moment later, and not waiting for ever for what hangs.
import { backoffDelay } from "../lib/backoff.ts";
import type { Backoff } from "../lib/backoff.ts";
import { pause } from "../lib/retry.ts";
import type { Clock } from "../lib/clock.ts";

export interface RetryPolicy {
  readonly clock: Clock;
  /** Ends the waiting and the trying; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  readonly backoff: Backoff;
  /** Tries in all; Infinity leaves it to the signal. */
  readonly tries: number;
  /** Whether another try makes sense after this error. */
  retryable(error: unknown): boolean;
}

/** Calls until it works, until an error is final, or until the tries are used up; then rejects with the last error. */
export async function retrying<T>(policy: RetryPolicy, call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    policy.signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (attempt + 1 >= policy.tries || !policy.retryable(error)) throw error;
    }
    await pause(policy.clock, backoffDelay(attempt, policy.backoff), policy.signal);
  }
}

/** Waits for `call`, at most `ms` and only until `signal` fires; rejects then, and leaves the call to itself. */
export async function within<T>(
  { clock, ms, signal, what }: { clock: Clock; ms: number; signal: AbortSignal; what: string },
  call: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const limit = pause(clock, ms, AbortSignal.any([over.signal, signal])).then(() => {
    throw new Error(`${what} took longer than ${Math.round(ms / 1000)} seconds`);
  });
  try {
    return await Promise.race([call(), limit]);
  } finally {
    over.abort();
  }
}
