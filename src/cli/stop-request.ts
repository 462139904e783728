// Requests to stop a command: Ctrl-C, signals, and outputs that nobody reads any more.
import { exitStatus } from "./cli-error.ts";
import type { Io, StopSignal } from "./io.ts";

export interface StopRequest {
  /** Aborts on the first request. */
  readonly signal: AbortSignal;
  /** Resolves on the first request. */
  readonly requested: Promise<StopSignal>;
  /** Returns the exit status of a command that the first request ended. */
  status(): number;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Listens for requests. A second one exits immediately, so that a hanging stop cannot block the user; `beforeExit` is
 * called before.
 */
export function listenForStop(io: Io, beforeExit?: () => void): StopRequest {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  let settle: (signal: StopSignal) => void = () => undefined;
  const requested = new Promise<StopSignal>((resolve) => (settle = resolve));
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  const ignore = io.onStop((signal) => {
    if (first !== undefined) {
      beforeExit?.();
      io.exit(exitStatus[signal]);
    }
    first ??= signal;
    // A part that hangs may have nothing that keeps the process alive. Without this timer the process would end before it
    // logs which one hangs.
    keepAlive ??= setInterval(() => undefined, 2 ** 30);
    settle(first);
    controller.abort();
  });
  const dispose = (): void => {
    ignore();
    clearInterval(keepAlive);
  };
  return { signal: controller.signal, requested, status: () => exitStatus[first ?? "SIGINT"], dispose };
}

/** Returns the exit status of a service that was requested to stop: not 0 if nobody reads its log any more. */
export const statusOfStop = (signal: StopSignal, isClean: boolean): number =>
  signal === "SIGPIPE" ? exitStatus.SIGPIPE : isClean ? exitStatus.ok : exitStatus.failure;
