// Stops everything that was started, in reverse order and in bounded time.
import type { Clock } from "../../lib/clock.ts";
import { TimeoutError, withTimeout } from "../../lib/retry.ts";
import type { Log } from "./log.ts";
import { InternalError } from "../../lib/internal-error.ts";

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The longest that a whole stop may take. */
  readonly stopTimeoutMs: number;
}

export interface Stopped {
  /** Names of the parts that did not stop in time or failed to stop. Empty after a clean stop. */
  readonly unclean: readonly string[];
}

type Stop = () => Promise<void> | void;

export interface Lifecycle {
  /** Aborted when a stop begins, for work that can end early. */
  readonly signal: AbortSignal;
  /**
   * Registers a part that was just started with the function that stops it. During a stop it is stopped immediately, so
   * that a start which a signal interrupts leaves nothing behind.
   */
  add(name: string, stop: Stop): void;
  /** Stops everything, the last started first. Called again, returns the same stop. Never rejects. */
  stop(reason: string): Promise<Stopped>;
}

// A part that hangs gets at most this share of the remaining time while others are still to be stopped. So the last one,
// often the process of the database, is stopped too: after two that hang, a quarter of the time is left for it.
const shareOfOne = 0.5;

export function createLifecycle({ clock, log, stopTimeoutMs }: LifecycleOptions): Lifecycle {
  const started: { name: string; stop: Stop }[] = [];
  const abort = new AbortController();
  let stopping: Promise<Stopped> | undefined;

  async function stopAll(reason: string): Promise<Stopped> {
    log.info({ reason }, "stopping");
    abort.abort(new InternalError(`stopping: ${reason}`));
    const deadline = clock.now() + stopTimeoutMs;
    const unclean: string[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      const left = Math.max(0, deadline - clock.now());
      if (!(await stopOne(part, started.length === 0 ? left : left * shareOfOne))) unclean.push(part.name);
    }
    if (unclean.length === 0) log.info("stopped");
    else log.warn({ unclean }, "stopped, but not cleanly");
    return { unclean };
  }

  /** Returns whether the part stopped in time. */
  async function stopOne({ name, stop }: { name: string; stop: Stop }, ms: number): Promise<boolean> {
    try {
      await withTimeout({ clock, ms, what: name }, async () => stop());
      return true;
    } catch (err) {
      if (err instanceof TimeoutError)
        log.error({ part: name, waitedMs: Math.round(ms) }, `${name} did not stop in time`);
      else log.error({ part: name, err }, `${name} failed to stop`);
      return false;
    }
  }

  return {
    signal: abort.signal,
    add(name, stop) {
      started.push({ name, stop });
      // A stop in progress takes this one too. After its end, another is needed.
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
