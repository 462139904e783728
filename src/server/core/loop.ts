// Background loops: iterations of work, triggered by a wake-up or, as a fallback, by an interval.
import { setImmediate } from "node:timers/promises";
import { backoffDelay } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Monitor } from "./monitor.ts";
import { isUnavailable, reportFailure } from "./outage.ts";

/** One bounded iteration. `more` reports that work is left and requests the next iteration immediately. */
export type RunOnce = () => Promise<{ readonly more: boolean }>;

/** A background loop. Any number of processes may run the same loop concurrently. */
export interface LoopDefinition {
  /** A constant, such as `claim-expiry`: a metric label and a monitor prefix. */
  readonly name: string;
  /** Time from the end of an iteration that left no work to the next one, when no wake-up arrives. */
  readonly intervalMs: number;
  /** Wake-up topics that trigger an iteration before the interval is over. */
  readonly wakeOn?: readonly string[];
  readonly runOnce: RunOnce;
}

export interface LoopOptions extends Omit<LoopDefinition, "wakeOn"> {
  /** Subscribes `trigger` to the wake-ups of the loop. Returns the unsubscribe function. */
  readonly wake?: (trigger: () => void) => () => void;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

export interface Loop {
  /** Requests an iteration. If one is running, another follows it. */
  trigger(): void;
  /** Resolves when no iteration is running or requested, and the last one did not fail. */
  idle(): Promise<void>;
  /** Ends the loop after the running iteration. */
  stop(): Promise<void>;
}

const errorBackoff = { baseMs: 1000, maxMs: 60_000, jitter: 0.25 };
// While the database is down each loop tries this often, and not all of them simultaneously. Shorter than after other errors,
// because work has piled up when the outage ends.
const outageBackoff = { baseMs: 1000, maxMs: 10_000, jitter: 0.25 };

/**
 * Starts a loop. Its first iteration begins in the next iteration of the event loop. Iterations never overlap. One that
 * rejects is reported, with an incident id unless it is an outage, and retried with backoff. Triggers do not shorten that
 * delay: each of them would query a database that is down.
 */
export function startLoop(options: LoopOptions): Loop {
  const { name, runOnce, intervalMs, clock } = options;
  const monitor = options.monitor.child({ prefix: name });
  const { loopDuration } = monitor.metrics;
  let requested = true;
  let stopped = false;
  let failures = 0;
  let backoff = errorBackoff;
  let running: Promise<void> | undefined;
  let cancelTimer = (): void => {};
  let idleWaiters: (() => void)[] = [];

  function trigger(): void {
    requested = true;
    if (running === undefined && failures === 0) start();
  }

  function start(): void {
    cancelTimer();
    if (!stopped) running = iterate();
  }

  /** Iterates until no work is left or an iteration fails. Never rejects. */
  async function iterate(): Promise<void> {
    try {
      while (requested) {
        // Triggers of one event loop iteration share one iteration of this loop, the first one comes after the code that
        // called startLoop, and iterations that wait for no I/O do not block the event loop.
        await setImmediate();
        if (stopped) break;
        requested = false;
        const { more } = await measured();
        failures = 0;
        if (more) requested = true;
      }
    } catch (err) {
      requested = true;
      failures++;
      backoff = isUnavailable(err) ? outageBackoff : errorBackoff;
      reportFailure(monitor, err, { failures });
    }
    running = undefined;
    if (stopped) return;
    if (failures > 0) cancelTimer = clock.after(backoffDelay(failures - 1, backoff), start);
    else {
      cancelTimer = clock.after(intervalMs, trigger);
      resolveIdle();
    }
  }

  async function measured(): ReturnType<RunOnce> {
    const begin = performance.now();
    const observe = (status: string): void =>
      loopDuration.observe({ name, status }, (performance.now() - begin) / 1000);
    try {
      const result = await runOnce();
      observe("success");
      return result;
    } catch (err) {
      observe("exception");
      throw err;
    }
  }

  function resolveIdle(): void {
    for (const resolve of idleWaiters) resolve();
    idleWaiters = [];
  }

  const unsubscribe = options.wake?.(trigger);
  start();
  return {
    trigger,
    idle: () =>
      new Promise((resolve) => {
        if (stopped || (running === undefined && failures === 0)) resolve();
        else idleWaiters.push(resolve);
      }),
    async stop() {
      stopped = true;
      unsubscribe?.();
      cancelTimer();
      await running;
      resolveIdle();
    },
  };
}
