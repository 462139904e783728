// The reader that all followers of a process share once they have reached the end of the log.
import { backoffDelay } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import type { WakeUps } from "../wake-ups.ts";
import { createAsyncEvent } from "../async-event.ts";
import { eventsTopic } from "./log-events.ts";
import type { Position } from "./position.ts";
import { positionNow, readEvents, UnusablePosition, type LoggedEvent } from "./read.ts";

export interface TailListener {
  /** How long an event may wait, in milliseconds, so that more of them are read together. At least five are taken. */
  readonly patienceMs: number;
  /** Delivers the next events and the position after them. */
  push(events: readonly LoggedEvent[], position: Position): void;
  /** Reports that no more events will be delivered. */
  fail(err: UnusablePosition): void;
}

export interface Tail {
  /**
   * Adds a listener, then calls `onJoined` with a position taken after this call. The listener gets all events after it.
   * The caller reads the events between its own position and that one.
   */
  join(listener: TailListener, onJoined: (position: Position) => void): void;
  leave(listener: TailListener): void;
  stop(): Promise<void>;
}

export interface TailOptions {
  readonly db: Db;
  readonly wakeUps: Pick<WakeUps, "subscribe">;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Fallback: reads this often without a wake-up. */
  readonly pollMs: number;
}

// Each read costs the database at least 0.4 ms. With thousands of commits per second, reading without a pause would keep a
// core busy; one read per 5 ms delivers the same events for a tenth of that. Where all listeners have more patience, such as
// the consumers of a server without event streams, there are even fewer reads.
const minIntervalMs = 5;
const pageSize = 1_000;
const outage = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

/** Creates the tail. It reads only while it has listeners. */
export function createTail({ db, wakeUps, clock, monitor, pollMs }: TailOptions): Tail {
  const listeners = new Set<TailListener>();
  const joining = new Map<TailListener, (position: Position) => void>();
  let position: Position | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  const wake = createAsyncEvent(clock);
  const end = createAsyncEvent(clock);
  /** Set when a listener joins, which may have less patience than the others. */
  const joined = createAsyncEvent(clock);
  const unsubscribe = wakeUps.subscribe(eventsTopic, wake.set);

  const intervalMs = (): number =>
    Math.max(minIntervalMs, Math.min(pollMs, ...[...listeners].map(({ patienceMs }) => patienceMs)));

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped && listeners.size + joining.size > 0) {
      const began = clock.now();
      try {
        await readOnce();
        failures = 0;
      } catch (err) {
        if (err instanceof UnusablePosition) dropListeners(err);
        else {
          monitor.log.warn({ err, failures }, "reading the end of the event log failed; retrying");
          await end.wait(backoffDelay(failures++, outage));
        }
        continue;
      }
      await pause(began);
      await wake.wait(pollMs);
    }
    position = undefined;
    running = undefined;
  }

  /** Waits until the next read may begin: after the interval, or when a listener joins. */
  async function pause(began: number): Promise<void> {
    for (;;) {
      const rest = began + intervalMs() - clock.now();
      if (rest <= 0 || stopped || joining.size > 0) return;
      await joined.wait(rest);
    }
  }

  /** Delivers all events up to now, then adds the listeners that were joining before the read. */
  async function readOnce(): Promise<void> {
    const joiners = [...joining.keys()];
    if (position === undefined || listeners.size === 0) position = await positionNow(db);
    else
      for (let caughtUp = false; !caughtUp && !stopped;) {
        const page = await readEvents(db, position, pageSize);
        ({ position, caughtUp } = page);
        for (const listener of listeners) listener.push(page.events, position);
      }
    if (stopped) return;
    for (const listener of joiners) {
      const onJoined = joining.get(listener);
      // It may have left in the meantime.
      if (!onJoined) continue;
      joining.delete(listener);
      listeners.add(listener);
      onJoined(position);
    }
  }

  /** Called if even the end of the log is unusable: retention has passed it, or the database was replaced. */
  function dropListeners(err: UnusablePosition): void {
    for (const listener of listeners) listener.fail(err);
    listeners.clear();
    position = undefined;
  }

  return {
    join(listener, onJoined) {
      joining.set(listener, onJoined);
      joined.set();
      wake.set();
      if (!stopped) running ??= run();
    },
    leave(listener) {
      listeners.delete(listener);
      joining.delete(listener);
    },
    async stop() {
      stopped = true;
      unsubscribe();
      for (const event of [wake, end, joined]) event.set();
      await running;
    },
  };
}
