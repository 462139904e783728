// A sign of life while something takes long: a spinner where a person looks, nothing elsewhere.
import yoctoSpinner from "yocto-spinner";
import type { Io } from "./io.ts";

export interface Spinner {
  /** Says what is going on now. */
  step(text: string): void;
  /** Takes the sign away; what comes next on the stream begins at an empty line. */
  stop(): void;
}

/** Starts it on standard error. */
export function startSpinner({ stderr, env }: Io, text: string): Spinner {
  if (stderr.isTTY !== true || env["TERM"] === "dumb")
    return { step: () => undefined, stop: () => undefined };
  // Signals are handled by whoever owns the command: the spinner would end the process.
  const spinner = yoctoSpinner({ text, stream: stderr, handleSignals: false }).start();
  return {
    step: (next) => void (spinner.text = next),
    stop: () => void spinner.stop(),
  };
}
