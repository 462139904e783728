// Keeps a process running: starts it again with backoff when it ends unexpectedly.
import { backoffDelay } from "./backoff.ts";
import { systemClock, type Clock } from "./clock.ts";
import { InternalError } from "./internal-error.ts";

/** A process that runs. */
export interface Running {
  /** Resolves with the way it ended ("exit code 0", "signal SIGKILL"). Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it. Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface SuperviseOptions<P extends Running> {
  /** Names the process in log records: "PostgreSQL". */
  readonly what: string;
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Starts the process. The signal aborts a start in progress. */
  start(signal: AbortSignal): Promise<P>;
  /** Consecutive attempts to restart it. Default: without limit. */
  readonly maxAttempts?: number;
  /** Called once, when `maxAttempts` consecutive attempts have failed. */
  readonly onGiveUp?: (cause: Error) => void;
  readonly clock?: Clock;
}

export interface Supervised<P extends Running> {
  /** Returns the running process, or undefined while there is none. */
  current(): P | undefined;
  stop(): Promise<void>;
}

const backoff = { baseMs: 100, maxMs: 5_000, jitter: 0 };
/** A run of this duration resets the number of attempts. */
const healthyMs = 10_000;

/** Starts the process and resolves when it runs. If the first start fails, rejects without another attempt. */
export async function supervise<P extends Running>(options: SuperviseOptions<P>): Promise<Supervised<P>> {
  const { what, log, clock = systemClock, maxAttempts = Infinity } = options;
  const stopped = new AbortController();
  let current: P | undefined = await options.start(stopped.signal);

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
    let cause: Error = new InternalError(`${what} ended`);
    while (!stopped.signal.aborted) {
      if (current !== undefined) {
        const since = clock.now();
        const how = await current.ended;
        current = undefined;
        if (stopped.signal.aborted) return;
        log.error({ how }, `${what} ended unexpectedly; restarting it`);
        if (clock.now() - since > healthyMs) attempts = 0;
      }
      if (attempts >= maxAttempts) {
        log.error({ err: cause }, `${what} keeps ending; giving up`);
        return options.onGiveUp?.(cause);
      }
      // The first attempt has no delay, since nothing works without the process.
      if (attempts > 0) await pause(backoffDelay(attempts - 1, backoff));
      attempts += 1;
      try {
        if (stopped.signal.aborted) return;
        current = await options.start(stopped.signal);
        log.warn({ attempts }, `${what} was restarted`);
      } catch (err) {
        if (stopped.signal.aborted) return;
        cause = err instanceof Error ? err : new Error(String(err));
        log.error({ err, attempts }, `${what} could not be restarted`);
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
