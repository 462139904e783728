// How long to wait before the next try: exponential, bounded, and spread out.

/** The shape of a retry: first delay and bound in milliseconds, and the share by which each is moved at random. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0.25 moves a delay by up to a quarter either way, so that callers that failed together do not return together. */
  readonly jitter: number;
}

/** Milliseconds to wait before try number `attempt` + 1, where the first try to fail is attempt 0. */
export function backoffDelay(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const { baseMs, maxMs, jitter } = backoff;
  const delay = Math.min(maxMs, baseMs * 2 ** attempt);
  return Math.min(maxMs, Math.round(delay * (1 + jitter * (2 * random() - 1))));
}
