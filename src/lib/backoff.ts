// Exponential backoff with an upper bound and jitter.

/** Delays between tries: the first one and the upper bound in milliseconds, and the share of random jitter. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0.25 changes a delay by up to a quarter either way, so that callers that failed together do not retry together. */
  readonly jitter: number;
}

/** Returns the delay in milliseconds after failure number `attempt`, counted from 0. */
export function backoffDelay(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const { baseMs, maxMs, jitter } = backoff;
  const delay = Math.min(maxMs, baseMs * 2 ** attempt);
  return Math.min(maxMs, Math.round(delay * (1 + jitter * (2 * random() - 1))));
}
