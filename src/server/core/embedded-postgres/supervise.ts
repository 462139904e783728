// Keeps one process-like thing running: starts it again when it ends unasked, patiently but not for ever.
import { backoffDelay } from "../../../lib/backoff.ts";
import { systemClock, type Clock } from "../../../lib/clock.ts";
import type { Postmaster } from "./postmaster.ts";

export interface SuperviseOptions {
  log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Starts it; the signal ends a start that is under way. */
  start(signal: AbortSignal): Promise<Postmaster>;
  /** Called once, when `mostAttempts` in a row have failed. */
  onGiveUp(cause: Error): void;
  clock?: Clock;
}

export interface Supervised {
  /** The one that runs now; undefined between two. */
  current(): Postmaster | undefined;
  stop(): Promise<void>;
}

const backoff = { baseMs: 100, maxMs: 5_000, jitter: 0 };
// About a minute and a half: longer than a full disk takes to be noticed, short enough for a restart by systemd.
const mostAttempts = 20;
/** A run this long counts as a success; shorter ones are one series of failures. */
const healthyMs = 10_000;

/** Starts it, and resolves when it runs; rejects, without a second attempt, where that first start fails. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { log, clock = systemClock } = options;
  const stopped = new AbortController();
  let current: Postmaster | undefined = await options.start(stopped.signal);

  let endPause = (): void => undefined;
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      endPause = () => {
        cancel();
        resolve();
      };
    });

  const keepRunning = async (): Promise<void> => {
    let attempts = 0;
    let cause = new Error("PostgreSQL ended");
    while (!stopped.signal.aborted) {
      if (current !== undefined) {
        const since = clock.now();
        const how = await current.ended;
        current = undefined;
        if (stopped.signal.aborted) return;
        log.error({ how }, "PostgreSQL ended unexpectedly; starting it again");
        if (clock.now() - since > healthyMs) attempts = 0;
      }
      if (attempts === mostAttempts) {
        log.error({ err: cause }, "PostgreSQL does not stay up; giving up");
        return options.onGiveUp(cause);
      }
      // The first attempt follows at once: after a crash every moment is an outage.
      if (attempts > 0) await pause(backoffDelay(attempts - 1, backoff));
      attempts += 1;
      try {
        if (stopped.signal.aborted) return;
        current = await options.start(stopped.signal);
        log.warn({ attempts }, "PostgreSQL runs again");
      } catch (err) {
        if (stopped.signal.aborted) return;
        cause = err instanceof Error ? err : new Error(String(err));
        log.error({ err, attempts }, "PostgreSQL could not be started again");
      }
    }
  };
  const kept = keepRunning();
  return {
    current: () => current,
    async stop() {
      stopped.abort();
      endPause();
      await current?.stop();
      await kept;
      // A start that had just succeeded.
      await current?.stop();
    },
  };
}
