// Waiting in tests for what gives no signal: asked again and again, and given up in the end.
import { vi } from "vitest";

// On a quiet machine what is waited for is there in a hundredth of this. Less than a test may take, so that it can say
// what was missing.
const patienceMs = 20_000;
const pauseMs = 2;

/** Asks until the answer is neither undefined nor false; throws after twenty seconds. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
    // Not a turn of the event loop only: who asks without I/O would take the processor from what is waited for.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Asserts until it holds, and answers what it does; rejects with the last failure after twenty seconds. */
export const eventually = <T>(assertion: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(assertion, { timeout: patienceMs, interval: 10 });
