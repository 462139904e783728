// A spinner for operations that take a while. Shown on terminals only.
import yoctoSpinner from "yocto-spinner";
import type { Io } from "./io.ts";

export interface Spinner {
  /** Replaces the text. */
  update(text: string): void;
  /** Removes the spinner. The next output starts on an empty line. */
  stop(): void;
}

/** Starts a spinner on standard error. */
export function startSpinner({ stderr, env }: Io, text: string): Spinner {
  if (stderr.isTTY !== true || env["TERM"] === "dumb")
    return { update: () => undefined, stop: () => undefined };
  // The command handles signals. The spinner would end the process.
  const spinner = yoctoSpinner({ text, stream: stderr, handleSignals: false }).start();
  return {
    update: (next) => void (spinner.text = next),
    stop: () => void spinner.stop(),
  };
}
