// Keeps the server running: restarts it with backoff when it ends unexpectedly, up to a number of attempts.
import { backoffDelay } from "../../../lib/backoff.ts";
import { systemClock, type Clock } from "../../../lib/clock.ts";
import type { Postmaster } from "./postmaster.ts";

export interface SuperviseOptions {
  log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Starts the server. The signal aborts a start in progress. */
  start(signal: AbortSignal): Promise<Postmaster>;
  /** Called once, when `maxAttempts` consecutive attempts have failed. */
  onGiveUp(cause: Error): void;
  clock?: Clock;
}

export interface Supervised {
  /** Returns the running server, or undefined while there is none. */
  current(): Postmaster | undefined;
  stop(): Promise<void>;
}

const backoff = { baseMs: 100, maxMs: 5_000, jitter: 0 };
// About a minute and a half: enough time to notice a full disk, short enough for a restart by systemd.
const maxAttempts = 20;
/** A run of this duration resets the number of attempts. */
const healthyMs = 10_000;

/** Starts the server and resolves when it runs. If the first start fails, rejects without another attempt. */
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
        log.error({ how }, "PostgreSQL ended unexpectedly; restarting it");
        if (clock.now() - since > healthyMs) attempts = 0;
      }
      if (attempts === maxAttempts) {
        log.error({ err: cause }, "PostgreSQL keeps ending; giving up");
        return options.onGiveUp(cause);
      }
      // The first attempt has no delay, since the server is down.
      if (attempts > 0) await pause(backoffDelay(attempts - 1, backoff));
      attempts += 1;
      try {
        if (stopped.signal.aborted) return;
        current = await options.start(stopped.signal);
        log.warn({ attempts }, "PostgreSQL was restarted");
      } catch (err) {
        if (stopped.signal.aborted) return;
        cause = err instanceof Error ? err : new Error(String(err));
        log.error({ err, attempts }, "PostgreSQL could not be restarted");
      }
    }
  };
  const running = keepRunning();
  return {
    current: () => current,
    async stop() {
      stopped.abort();
      endPause();
      await current?.stop();
      await running;
      // A start may have succeeded in the meantime.
      await current?.stop();
    },
  };
}
