// Waiting for a signal or the end of a time, without losing a signal that comes while nobody waits.
import type { Clock } from "../../lib/clock.ts";

export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once where it rang since the last wait, or after `ms`. One waiter at a time. */
  wait(ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rang = false;
  let answer: (() => void) | undefined;
  return {
    ring() {
      rang = true;
      answer?.();
    },
    async wait(ms) {
      if (!rang)
        await new Promise<void>((resolve) => {
          const cancel = clock.after(ms, resolve);
          answer = () => {
            cancel();
            resolve();
          };
        });
      answer = undefined;
      rang = false;
    },
  };
}
