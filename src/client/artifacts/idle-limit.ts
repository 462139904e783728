// Ends a transfer in which no byte arrives. A slow one may take as long as it needs.
import type { Clock } from "../../lib/clock.ts";
import { linkSignals } from "../../lib/linked-signal.ts";

/** How long a transfer may stay without a byte, in milliseconds. */
export const IDLE_LIMIT_MS = 60_000;

export interface IdleLimit {
  /** Aborts with the caller's signal, or when the limit is exceeded. */
  readonly signal: AbortSignal;
  /** Restarts the time. */
  progress(): void;
  /** Stops the time. */
  pause(): void;
  /** Stops the time for good, and aborts what still uses the signal. */
  end(): void;
}

/** Starts the time. */
export function limitIdle(clock: Clock, signal: AbortSignal | undefined): IdleLimit {
  const linked = linkSignals(signal);
  let cancel = (): void => undefined;
  const progress = (): void => {
    cancel();
    cancel = clock.after(IDLE_LIMIT_MS, () =>
      linked.abort(
        new Error(
          `no byte was transferred for ${IDLE_LIMIT_MS / 1000} s: check the connection to the artifact store`,
        ),
      ),
    );
  };
  progress();
  return {
    signal: linked.signal,
    progress,
    pause: () => cancel(),
    end() {
      cancel();
      linked.dispose();
      linked.abort();
    },
  };
}
