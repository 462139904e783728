// What commands do that stay until they are told to stop.
import { exitStatus } from "./cli-error.ts";
import type { Io, StopSignal } from "./io.ts";

/**
 * The first Ctrl-C or SIGTERM settles `asked`, from the moment of this call on; the second ends the process at once,
 * for what hangs must not keep the user.
 */
export function waitForShutdown(io: Io): { readonly asked: Promise<StopSignal>; done(): void } {
  let count = 0;
  let settle: (signal: StopSignal) => void = () => undefined;
  const asked = new Promise<StopSignal>((resolve) => (settle = resolve));
  const done = io.onStop((signal) => {
    if (++count > 1) io.exit(signal === "SIGINT" ? exitStatus.interrupted : exitStatus.terminated);
    settle(signal);
  });
  return { asked, done };
}
