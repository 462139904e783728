// Long work in slices, so that everything else in the process has its turn in between.
import { setImmediate } from "node:timers/promises";

export interface Turn {
  /** Whether it is time to let others go on: ask often, it costs 50 ns. */
  isOver(): boolean;
  /** Lets them, and begins another turn. */
  next(): Promise<void>;
}

/**
 * Begins a turn of `ms` milliseconds: `if (turn.isOver()) await turn.next();`. Not the injected clock, since it is the
 * machine's own time that others wait for.
 */
export function takeTurns(ms = 8): Turn {
  let until = performance.now() + ms;
  return {
    isOver: () => performance.now() >= until,
    async next() {
      await setImmediate();
      until = performance.now() + ms;
    },
  };
}
