// Polling with a timeout, for conditions in tests that give no signal.

// An idle machine needs a hundredth of this. Shorter than the time limit of a test, so that the error can name the
// condition.
const defaultLimitMs = 20_000;
// The pauses get longer, since polling takes CPU time from the code that the test waits for.
const [firstPauseMs, longestPauseMs] = [2, 50];

/** Returns a function that waits for the next pause. It resolves to false after `limitMs`. */
function pauses(limitMs = defaultLimitMs): () => Promise<boolean> {
  const end = performance.now() + limitMs;
  let ms = firstPauseMs;
  return async () => {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, ms));
    ms = Math.min(ms * 1.5, longestPauseMs);
    return true;
  };
}

/** Polls until the result is neither undefined nor false, and returns it. Throws after `limitMs`. */
export async function until<T>(
  what: string,
  poll: () => Promise<T | undefined | false>,
  limitMs?: number,
): Promise<T> {
  const pause = pauses(limitMs);
  do {
    const result = await poll();
    if (result !== undefined && result !== false) return result;
  } while (await pause());
  throw new Error(`timed out waiting for ${what}`);
}

/** Retries an assertion until it holds, and returns its result. Rejects with its last error after twenty seconds. */
export async function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  const pause = pauses();
  for (;;) {
    try {
      return await assertion();
    } catch (err) {
      if (!(await pause())) throw err;
    }
  }
}
