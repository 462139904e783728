// Polling in tests, for what gives no signal.

// On an idle machine a hundredth of this is enough. Less than the timeout of a test, so that the error can name what was
// missing.
const patienceMs = 20_000;
// The longer a test waits, the rarer it looks: polling takes processor time from what it waits for.
const [firstPauseMs, longestPauseMs] = [2, 50];

/** Resolves after each pause between two polls; false when no more should follow. */
function pauses(limitMs = patienceMs): () => Promise<boolean> {
  const end = performance.now() + limitMs;
  let ms = firstPauseMs;
  return async () => {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, ms));
    ms = Math.min(ms * 1.5, longestPauseMs);
    return true;
  };
}

/** Calls `ask` until the result is neither undefined nor false, and returns it; throws after `limitMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs?: number,
): Promise<T> {
  const pause = pauses(limitMs);
  do {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  } while (await pause());
  throw new Error(`timed out waiting for ${what}`);
}

/** Repeats an assertion until it holds, and returns its result; rejects with its last error after twenty seconds. */
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
