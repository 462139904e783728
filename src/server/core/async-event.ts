// An auto-reset event: one task waits for a signal or a timeout. A signal without a waiter is kept for the next wait.
import type { Clock } from "../../lib/clock.ts";

export interface AsyncEvent {
  set(): void;
  /** Resolves when the event is set (immediately if it was set since the last wait) or after `ms`. One waiter at a time. */
  wait(ms: number): Promise<void>;
}

export function createAsyncEvent(clock: Clock): AsyncEvent {
  let isSet = false;
  let wakeWaiter: (() => void) | undefined;
  return {
    set() {
      isSet = true;
      wakeWaiter?.();
    },
    async wait(ms) {
      if (!isSet)
        await new Promise<void>((resolve) => {
          const cancel = clock.after(ms, resolve);
          wakeWaiter = () => {
            cancel();
            resolve();
          };
        });
      wakeWaiter = undefined;
      isSet = false;
    },
  };
}
