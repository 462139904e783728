// Tries again what may work a moment later, each try within its own time.
import { backoffDelay, type Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

export interface RetryPolicy {
  readonly clock: Clock;
  /** Tries after the first. */
  readonly retries: number;
  /** Ends the waiting and the trying; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a try came to: the result, or an error with whether, and how soon, another try makes sense. */
export type Attempt<T> =
  | { readonly value: T }
  | { readonly error: Error; readonly again: boolean; readonly afterMs?: number | undefined };

export const callBackoff: Backoff = { baseMs: 100, maxMs: 30_000, jitter: 0.25 };

/**
 * Timers that keep a process alive, unlike those of the system clock: somebody waits for what comes after. Browsers
 * have them too.
 */
export const waitingClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Tries until it works, an error is final, or the retries are used up; then rejects with the last error. */
export async function retrying<T>(policy: RetryPolicy, attempt: () => Promise<Attempt<T>>): Promise<T> {
  for (let n = 0; ; n++) {
    policy.signal?.throwIfAborted();
    const result = await attempt();
    if ("value" in result) return result.value;
    if (!result.again || n >= policy.retries) throw result.error;
    // A server may ask for more time, but not for more than our own longest wait: the caller waits too.
    const wait = Math.max(backoffDelay(n, callBackoff), Math.min(result.afterMs ?? 0, callBackoff.maxMs));
    await pause(policy.clock, wait, policy.signal);
  }
}

/** Waits; rejects with the signal's reason as soon as it fires. */
export function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel();
      reject(reasonOf(signal));
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Runs `work` with a signal that fires after `ms`, or when `signal` does. Says whether time ran out, since an error
 * does not. Linked by hand: what `AbortSignal.any` derives from a signal stays with it for as long as that lives.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown; readonly timedOut: boolean }> {
  const limit = new AbortController();
  let timedOut = false;
  const cancel = clock.after(ms, () => {
    timedOut = true;
    limit.abort();
  });
  const stop = (): void => limit.abort(signal?.reason);
  if (signal?.aborted) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  try {
    return { value: await work(limit.signal) };
  } catch (error) {
    return { error, timedOut };
  } finally {
    cancel();
    signal?.removeEventListener("abort", stop);
  }
}

const reasonOf = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal?.reason });
