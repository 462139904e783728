// Keeps the credentials of a registered worker valid: renews them before they expire, and registers the worker from the
// beginning where that fails. For worker-manager it is the same worker, so its tasks go on.
import type { Clock } from "../../lib/clock.ts";
import { InternalError } from "../../lib/internal-error.ts";
import { retry } from "../../lib/retry.ts";
import { isTransient } from "../queue-client.ts";
import { messageOf, type WorkerMonitor } from "../worker-monitor.ts";
import { RegistrationError, type Registered } from "./register.ts";

export type Granted = Pick<Registered, "expires" | "credentials" | "secret">;

export interface RenewalOptions {
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  /** What the worker has got by its registration. */
  readonly granted: Granted;
  /** Exchanges the secret, which is valid once, for new credentials. */
  reregister(secret: string, signal: AbortSignal): Promise<Granted>;
  /** Registers the worker from the beginning. */
  register(signal: AbortSignal): Promise<Granted>;
  /** Reports whether worker-manager terminates the worker, which is then not registered from the beginning. */
  mustTerminate(): Promise<boolean>;
  onGranted(granted: Granted): void;
  /** Called once, if the worker cannot get new credentials. */
  onLost(error: Error): void;
}

export interface Renewal {
  /** Renews now, because a call was refused. Returns false if that cannot help: the newest credentials were never accepted. */
  refused(): boolean;
  /** Notes that the server has accepted the newest credentials. */
  accepted(): void;
  stop(): void;
}

const registrationBackoff = { baseMs: 500, maxMs: 60_000, jitter: 0.25 };
const aheadMs = 30 * 60_000;
// Even if the clocks differ so much that the credentials seem to have expired already.
const shortestMs = 1000;
// Timers overflow after 24 days, and credentials may be valid for longer.
const longestMs = 86_400_000;

/** Returns the delay until the renewal in ms: half an hour before the expiry, or after two thirds of a shorter time. */
export function renewalDelay(expires: string, now: number): number {
  const left = Date.parse(expires) - now;
  return Math.min(Math.max(left - Math.min(aheadMs, left / 3), shortestMs), longestMs);
}

/** Retries while a retry may succeed, with backoff, and logs each failure. */
export function untilRegistered<T>(
  { clock, monitor, signal }: Pick<RenewalOptions, "clock" | "monitor"> & { readonly signal: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  const retryable = (error: unknown): boolean => {
    if (error instanceof RegistrationError || !isTransient(error)) return false;
    monitor.warn("could not register with the worker pool; trying again", { reason: messageOf(error) });
    return true;
  };
  return retry(
    { tries: Infinity, retryable, delay: { clock, backoff: registrationBackoff }, signal },
    attempt,
  );
}

export function keepRegistered(options: RenewalOptions): Renewal {
  const { clock, monitor } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  let { secret } = options.granted;
  let wasAccepted = false;
  let isRenewing = false;
  let cancel = (): void => undefined;

  function schedule({ expires }: Granted): void {
    cancel = clock.after(renewalDelay(expires, clock.now()), () => void renew());
  }

  function stop(): void {
    stopped.abort(new InternalError("the registration has ended"));
    cancel();
  }

  async function renew(): Promise<void> {
    if (isRenewing || signal.aborted) return;
    isRenewing = true;
    cancel();
    try {
      const granted = await untilRegistered({ clock, monitor, signal }, attempt);
      if (signal.aborted) return;
      if (granted === undefined) return stop();
      ({ secret } = granted);
      wasAccepted = false;
      options.onGranted(granted);
      schedule(granted);
    } catch (error) {
      if (signal.aborted) return;
      stop();
      options.onLost(error instanceof Error ? error : new InternalError(String(error)));
    } finally {
      isRenewing = false;
    }
  }

  /** Resolves to undefined if the worker must end. */
  async function attempt(): Promise<Granted | undefined> {
    try {
      return await options.reregister(secret, signal);
    } catch (error) {
      if (isTransient(error)) throw error;
      // The reply to an earlier try was lost, or the credentials have expired while the machine was suspended.
      monitor.info("registering with the worker pool from the beginning", { reason: messageOf(error) });
      return (await options.mustTerminate()) ? undefined : options.register(signal);
    }
  }

  schedule(options.granted);
  return {
    refused() {
      if (!wasAccepted && !isRenewing) return false;
      void renew();
      return true;
    },
    accepted() {
      wasAccepted = true;
    },
    stop,
  };
}
