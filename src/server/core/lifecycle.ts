// What was started, stopped in reverse order and in bounded time; and the signals that ask for it.
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "./log.ts";

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long a whole stop may take. */
  readonly stopTimeoutMs: number;
}

export interface Stopped {
  /** Names of what did not end in its time or failed to stop; empty after a clean stop. */
  readonly unclean: readonly string[];
}

export interface Lifecycle {
  /** Aborted when a stop begins, for what can end early. */
  readonly signal: AbortSignal;
  /**
   * Registers what was just started with the way to stop it. During a stop it is stopped again at once: a start
   * that a signal overtakes leaves nothing behind.
   */
  add(name: string, stop: () => Promise<void> | void): void;
  /** Stops everything, the last started first. Asked again, answers the stop under way. Never rejects. */
  stop(reason: string): Promise<Stopped>;
}

// While others wait for their turn, one that hangs gets no more than this share of the time left. So the last one,
// often the database's process, still has its turn: after two that hang, it has a quarter of the time.
const shareOfOne = 0.5;

export function createLifecycle({ clock, log, stopTimeoutMs }: LifecycleOptions): Lifecycle {
  const started: { name: string; stop: () => Promise<void> | void }[] = [];
  const abort = new AbortController();
  let stopping: Promise<Stopped> | undefined;

  async function stopAll(reason: string): Promise<Stopped> {
    log.info({ reason }, "stopping");
    abort.abort(new Error(`stopping: ${reason}`));
    const deadline = clock.now() + stopTimeoutMs;
    const unclean: string[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      const left = Math.max(0, deadline - clock.now());
      const { name } = part;
      const problem = await within(started.length === 0 ? left : left * shareOfOne, part.stop);
      if (problem === undefined) continue;
      unclean.push(name);
      log.error(
        { part: name, ...problem },
        `${name} ${"err" in problem ? "failed to stop" : "did not stop in time"}`,
      );
    }
    if (unclean.length === 0) log.info("stopped");
    else log.warn({ unclean }, "stopped, but not cleanly");
    return { unclean };
  }

  /** Undefined when `stop` ended well in the given time. */
  async function within(
    ms: number,
    stop: () => Promise<void> | void,
  ): Promise<{ err: unknown } | { waitedMs: number } | undefined> {
    let cancel = (): void => {};
    const late = new Promise<{ waitedMs: number }>((resolve) => {
      cancel = clock.after(ms, () => resolve({ waitedMs: Math.round(ms) }));
    });
    try {
      return (await Promise.race([Promise.resolve().then(stop), late])) ?? undefined;
    } catch (err) {
      return { err };
    } finally {
      cancel();
    }
  }

  return {
    signal: abort.signal,
    add(name, stop) {
      started.push({ name, stop });
      // While a stop is under way it takes this one too; after its end, another has to.
      if (stopping !== undefined)
        stopping = stopping.then(async (before) => {
          if (started.length === 0) return before;
          const { unclean } = await stopAll(`${name} started during a stop`);
          return { unclean: [...before.unclean, ...unclean] };
        });
    },
    stop: (reason) => (stopping ??= stopAll(reason)),
  };
}

export interface SignalOptions {
  readonly lifecycle: Lifecycle;
  /** The process, or in tests what stands for it. */
  readonly process: {
    on(signal: Signal, listener: () => void): unknown;
    off(signal: Signal, listener: () => void): unknown;
    exit(code: number): void;
  };
}

// Shells report a process ended by a signal as 128 and the signal's number; a second signal ends as if by itself.
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof exitCodes;

/**
 * SIGTERM and SIGINT stop the lifecycle and then end the process: with 0 after a clean stop, 1 after another. A
 * second signal ends it at once. Answers how to take the listeners away.
 */
export function onSignals({ lifecycle, process }: SignalOptions): () => void {
  let signalled = false;

  async function stopAndExit(signal: Signal): Promise<void> {
    // What hangs may have nothing that keeps the process alive: it would end before it is told what hung.
    const alive = setInterval(() => {}, 2 ** 30);
    const { unclean } = await lifecycle.stop(signal);
    clearInterval(alive);
    process.exit(unclean.length === 0 ? 0 : 1);
  }

  const signals: [Signal, () => void][] = (["SIGINT", "SIGTERM"] as const).map((signal) => [
    signal,
    () => {
      if (signalled) return process.exit(exitCodes[signal]);
      signalled = true;
      void stopAndExit(signal);
    },
  ]);
  for (const [signal, listener] of signals) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of signals) process.off(signal, listener);
  };
}
