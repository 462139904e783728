// Polling with a timeout, for conditions in tests that give no signal.
import { vi } from "vitest";

// An idle machine needs a hundredth of this. Shorter than the time limit of a test, so that the error can
// name the condition.
const timeoutMs = 20_000;
const pauseMs = 2;

/** Polls until the result is neither undefined nor false, and returns it. Throws after twenty seconds. */
export async function until<T>(what: string, poll: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const result = await poll();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) throw new Error(`timed out waiting for: ${what}`);
    // Not setImmediate: a poll without I/O would take the CPU from the code that it waits for.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Retries an assertion until it holds, and returns its result. Rejects with the last failure after twenty seconds. */
export const eventually = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(assertion, { timeout: timeoutMs, interval: 10 });
