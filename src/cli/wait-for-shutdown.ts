// Ctrl-C and SIGTERM for commands that run until they are stopped.
import { exitStatus } from "./cli-error.ts";
import type { Io, StopSignal } from "./io.ts";

export interface Shutdown {
  /** Resolves on the first signal. */
  readonly requested: Promise<StopSignal>;
  /** Stops listening for signals. */
  dispose(): void;
}

/** Listens for Ctrl-C and SIGTERM. A second signal exits immediately, so that a hanging shutdown cannot block the user. */
export function waitForShutdown(io: Io): Shutdown {
  let count = 0;
  let settle: (signal: StopSignal) => void = () => undefined;
  const requested = new Promise<StopSignal>((resolve) => (settle = resolve));
  const dispose = io.onStop((signal) => {
    if (++count > 1) io.exit(signal === "SIGINT" ? exitStatus.interrupted : exitStatus.terminated);
    settle(signal);
  });
  return { requested, dispose };
}
