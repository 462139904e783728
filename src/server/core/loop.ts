// A background loop: rounds of work, started by a signal or, as the safety net, by a slow timer.
import { setImmediate } from "node:timers/promises";
import { backoffDelay } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Monitor } from "./monitor.ts";

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

export interface LoopOptions {
  /** A constant, such as `claim-expiry`: a metric label and a monitor prefix. */
  readonly name: string;
  readonly runOnce: RunOnce;
  /** Time from the end of a round with nothing left to the next one, when no signal comes. */
  readonly intervalMs: number;
  /** Subscribes the loop's trigger to a signal that there may be work; answers how to unsubscribe. */
  readonly wake?: (trigger: () => void) => () => void;
  readonly clock: Clock;
  readonly monitor: Monitor;
}

export interface Loop {
  /** Asks for a round soon; one that is under way is followed by another. */
  trigger(): void;
  /** Resolves when the loop has nothing to do: no round is under way or asked for, and the last one did not fail. */
  idle(): Promise<void>;
  /** Ends the loop after the round under way. */
  stop(): Promise<void>;
}

// A database that is away for a while is asked about once a minute in the end, and not by all loops together.
const errorBackoff = { baseMs: 1000, maxMs: 60_000, jitter: 0.25 };

/**
 * Starts a loop; its first round begins in the next turn of the event loop. Rounds never overlap. A round that rejects is reported with an
 * incident id and tried again after a delay that grows; signals do not cut it short, or each of them would knock
 * at a database that is down.
 */
export function startLoop(options: LoopOptions): Loop {
  const { name, runOnce, intervalMs, clock } = options;
  const monitor = options.monitor.child({ prefix: name });
  const { loopDuration } = monitor.metrics;
  let asked = true;
  let stopped = false;
  let failures = 0;
  let running: Promise<void> | undefined;
  let cancelTimer = (): void => {};
  let idlers: (() => void)[] = [];

  function trigger(): void {
    asked = true;
    if (running === undefined && failures === 0) start();
  }

  function start(): void {
    cancelTimer();
    if (!stopped) running = rounds();
  }

  /** Rounds until there is nothing left to do or one fails; never rejects. */
  async function rounds(): Promise<void> {
    try {
      while (asked) {
        // Signals of one turn of the event loop share a round, the first round comes after whatever called
        // startLoop, and rounds that wait for nothing outside do not keep the event loop to themselves.
        await setImmediate();
        if (stopped) break;
        asked = false;
        const { more } = await round();
        failures = 0;
        if (more) asked = true;
      }
    } catch (err) {
      asked = true;
      failures++;
      monitor.reportError(err, { failures });
    }
    running = undefined;
    if (stopped) return;
    if (failures > 0) cancelTimer = clock.after(backoffDelay(failures - 1, errorBackoff), start);
    else {
      cancelTimer = clock.after(intervalMs, trigger);
      rest();
    }
  }

  async function round(): Promise<{ readonly more: boolean }> {
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

  function rest(): void {
    for (const resolve of idlers) resolve();
    idlers = [];
  }

  const unsubscribe = options.wake?.(trigger);
  start();
  return {
    trigger,
    idle: () =>
      new Promise((resolve) => {
        if (stopped || (running === undefined && failures === 0)) resolve();
        else idlers.push(resolve);
      }),
    async stop() {
      stopped = true;
      unsubscribe?.();
      cancelTimer();
      await running;
      rest();
    },
  };
}
