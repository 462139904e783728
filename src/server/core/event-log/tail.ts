// The one reader of a process that follows the end of the log, for everybody in the process who has come that far.
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
  /** The next events; `position` is of who has had them and everything before. */
  push(events: readonly LoggedEvent[], position: Position): void;
  /** Nothing more will come. */
  fail(err: UnusablePosition): void;
}

export interface Tail {
  /**
   * Adds a listener. It gets everything after `position`, a moment that was taken after the call; so it
   * lies behind every position that anybody had before, and what is between those two the caller reads itself.
   */
  join(listener: TailListener, joined: (position: Position) => void): void;
  leave(listener: TailListener): void;
  stop(): Promise<void>;
}

export interface TailOptions {
  readonly db: Db;
  readonly wakeUps: Pick<WakeUps, "subscribe">;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** The safety net: look this often although nobody rang. */
  readonly pollMs: number;
}

// A round of reading costs the database 0.4 ms and more. With thousands of commits a second, one after the other
// would keep a core busy; one each 5 ms brings the same events for a tenth of that.
const restMs = 5;
const pageSize = 1_000;
const outage = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

/** Reads only while there are listeners. */
export function createTail({ db, wakeUps, clock, monitor, pollMs }: TailOptions): Tail {
  const listeners = new Set<TailListener>();
  const joining = new Map<TailListener, (position: Position) => void>();
  let position: Position | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  const wake = createAsyncEvent(clock);
  const end = createAsyncEvent(clock);
  const unsubscribe = wakeUps.subscribe(eventsTopic, wake.set);

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped && listeners.size + joining.size > 0) {
      const began = clock.now();
      try {
        await round();
        failures = 0;
      } catch (err) {
        if (err instanceof UnusablePosition) dismiss(err);
        else {
          monitor.log.warn({ err, failures }, "the end of the event log could not be read; trying again");
          await end.wait(backoffDelay(failures++, outage));
        }
        continue;
      }
      const rest = began + restMs - clock.now();
      if (rest > 0) await end.wait(rest);
      await wake.wait(pollMs);
    }
    position = undefined;
    running = undefined;
  }

  /** Everything up to now to the listeners; then those who wanted to join are listeners too. */
  async function round(): Promise<void> {
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
      const joined = joining.get(listener);
      // It may have left meanwhile.
      if (!joined) continue;
      joining.delete(listener);
      listeners.add(listener);
      joined(position);
    }
  }

  /** Retention, or another database in the place of ours, has overtaken even the end of the log. */
  function dismiss(err: UnusablePosition): void {
    for (const listener of listeners) listener.fail(err);
    listeners.clear();
    position = undefined;
  }

  return {
    join(listener, joined) {
      joining.set(listener, joined);
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
      wake.set();
      end.set();
      await running;
    },
  };
}
