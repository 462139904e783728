// Requests to stop a command: Ctrl-C, signals, and outputs that nobody reads any more.
import { exitStatus } from "./cli-error.ts";
import { writeLine, type Io, type StopSignal } from "./io.ts";

export interface StopRequest {
  /** Aborts on the first request. */
  readonly signal: AbortSignal;
  /** Resolves on the first request. */
  readonly requested: Promise<StopSignal>;
  /** Sets how long the stop may take. Default: 30 seconds. */
  allow(ms: number): void;
  /** Returns the exit status of a command that the first request ended. */
  status(): number;
  /** Stops listening. */
  dispose(): void;
}

const defaultLimitMs = 30_000;

/**
 * Listens for requests. A second one exits immediately, so that a hanging stop cannot block the user, and so does the end of
 * the time that the stop may take; `beforeExit` is called before.
 */
export function listenForStop(io: Io, beforeExit?: () => void): StopRequest {
  const controller = new AbortController();
  let first: StopSignal | undefined;
  let settle: (signal: StopSignal) => void = () => undefined;
  const requested = new Promise<StopSignal>((resolve) => (settle = resolve));
  let limitMs = defaultLimitMs;
  let limit: ReturnType<typeof setTimeout> | undefined;
  let since = 0;
  const exit = (signal: StopSignal): void => {
    beforeExit?.();
    io.exit(exitStatus[signal]);
  };
  // A part that hangs may have nothing that keeps the process alive. Without this timer the process would end before it logs
  // which one hangs.
  const setLimit = (signal: StopSignal): void => {
    clearTimeout(limit);
    const left = Math.max(0, since + limitMs - performance.now());
    limit = setTimeout(() => {
      writeLine(
        io.stderr,
        `error: not everything has stopped within ${Math.round(limitMs / 1000)} s; exiting`,
      );
      exit(signal);
    }, left);
  };
  const ignore = io.onStop((signal) => {
    if (first !== undefined) return exit(signal);
    first = signal;
    since = performance.now();
    setLimit(first);
    settle(first);
    controller.abort();
  });
  return {
    signal: controller.signal,
    requested,
    allow(ms) {
      limitMs = ms;
      if (first !== undefined) setLimit(first);
    },
    status: () => exitStatus[first ?? "SIGINT"],
    dispose() {
      ignore();
      clearTimeout(limit);
    },
  };
}

export interface StopScope {
  readonly stop: StopRequest;
  /** Aborts when the work has ended, so that nothing it started goes on. */
  readonly ended: AbortSignal;
  /** Aborts on a request to stop, and when the work has ended. */
  readonly signal: AbortSignal;
}

/** Runs a command's work and returns its exit status. If it rejects after a request to stop, returns the status of the request. */
export async function untilStopped(
  io: Io,
  work: (scope: StopScope) => Promise<number>,
  beforeExit?: () => void,
): Promise<number> {
  const stop = listenForStop(io, beforeExit);
  const ended = new AbortController();
  const signal = AbortSignal.any([stop.signal, ended.signal]);
  try {
    return await work({ stop, ended: ended.signal, signal });
  } catch (error) {
    if (stop.signal.aborted) return stop.status();
    throw error;
  } finally {
    ended.abort();
    stop.dispose();
  }
}

/** Returns the exit status of a service that was requested to stop: not 0 if nobody reads its log any more. */
export const statusOfStop = (signal: StopSignal, isClean: boolean): number =>
  signal === "SIGPIPE" ? exitStatus.SIGPIPE : isClean ? exitStatus.ok : exitStatus.failure;
