// Named consumers: handle events in their order, each at least once, across restarts and processes.
import { backoffDelay } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { linkSignals } from "../../../lib/linked-signal.ts";
import { createAsyncEvent } from "../async-event.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import { reportFailure } from "../outage.ts";
import type { WakeUps } from "../wake-ups.ts";
import { advanceConsumer, openConsumer, retryTopic } from "./consumer-store.ts";
import { createDelivery, type DeliveryOptions } from "./delivery.ts";
import type { Following } from "./follow.ts";
import type { Leadership, Term } from "./leadership.ts";
import { decodePosition, encodePosition, type Position } from "./position.ts";
import { pullFrom } from "./pull.ts";
import { positionNow, positionStart, readEvents, UnusablePosition, type LoggedEvent } from "./read.ts";

export interface ConsumerOptions extends DeliveryOptions {
  /** Selects events. Default: all. */
  readonly accepts?: (event: LoggedEvent) => boolean;
  /** Where it begins when it runs for the first time. Default: now. */
  readonly begin?: "now" | "start";
  /** Upper bound of the events per call of `handle`. Default: 1. */
  readonly batch?: number;
}

export interface Consumer {
  /** Waits for the running handler, then releases the name. */
  stop(): Promise<void>;
}

export interface ConsumerContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly wakeUps: Pick<WakeUps, "wake" | "subscribe">;
  readonly monitor: Monitor;
  readonly leadership: Leadership;
  readonly follow: (options: {
    from: Position;
    signal: AbortSignal;
    accepts?: (event: LoggedEvent) => boolean;
    patienceMs?: number;
  }) => Following;
}

// A read per event would cost more than the change that published it: with one createTask after the other, half as much again.
const patienceMs = 100;
// How soon another process takes over after the one that held the name has crashed.
const candidacyMs = 5_000;
// The position after skipped events is stored this often, so this much skipping may be repeated after a restart.
const storeEveryMs = 10_000;
const outage = { baseMs: 200, maxMs: 30_000, jitter: 0.25 };

/** Wakes the candidates for a consumer name: it became free. */
const freeTopic = (name: string): string => `consumer:${name}`;

/** Starts consuming. While another process consumes under this name, waits to take over. */
export function startConsumer(context: ConsumerContext, options: ConsumerOptions): Consumer {
  const { db, clock, wakeUps, leadership } = context;
  const { name } = options;
  const monitor = context.monitor.child({ prefix: name });
  const end = new AbortController();
  const wake = createAsyncEvent(clock);
  const unsubscribe = wakeUps.subscribe(freeTopic(name), wake.set);

  async function run(): Promise<void> {
    for (let failures = 0; !end.signal.aborted;) {
      try {
        const term = await leadership.take(name);
        if (term) await lead(term);
        failures = 0;
        if (!end.signal.aborted && !term) await wake.wait(candidacyMs);
      } catch (err) {
        reportFailure(monitor, err, { failures });
        if (!end.signal.aborted) await wake.wait(backoffDelay(failures++, outage));
      }
    }
  }

  /** Consumes while this process holds the name. */
  async function lead(term: Term): Promise<void> {
    const { signal, dispose } = linkSignals(end.signal, term.lost);
    try {
      await consume(signal);
    } catch (err) {
      // Work that was in flight when the term ended has failed because of that, and its events are delivered again.
      if (!signal.aborted) throw err;
    } finally {
      dispose();
      await term.release();
      wakeUps.wake(freeTopic(name));
    }
  }

  async function consume(signal: AbortSignal): Promise<void> {
    const first = options.begin === "start" ? await positionStart(db) : await positionNow(db);
    let stored = await openConsumer(db, name, encodePosition(first));

    async function advance(to: Position): Promise<void> {
      const text = encodePosition(to);
      if (text === stored) return;
      if (!(await advanceConsumer(db, name, stored, text)))
        throw new Error(
          `another process consumes as ${name}, or its position was changed manually: give each consumer its own name`,
        );
      stored = text;
    }

    const delivery = createDelivery({ db, clock, monitor, signal, advance }, options);
    const from = await usable(decodePosition(stored));
    const { accepts, batch = 1 } = options;
    const over = linkSignals(signal);
    const following = context.follow({ from, signal: over.signal, patienceMs, ...(accepts && { accepts }) });
    const iterator = following[Symbol.asyncIterator]();
    const pull = pullFrom(iterator, clock);
    const unsubscribeRetry = wakeUps.subscribe(retryTopic(name), pull.set);
    try {
      await advance(from);
      await delivery.retry();
      for (;;) {
        const next = await pull.next(storeEveryMs);
        if (signal.aborted || next?.done === true) return;
        if (next) {
          for (let i = 0; i < next.value.length && !signal.aborted; i += batch)
            await delivery.deliver(next.value.slice(i, i + batch));
        } else {
          await advance(following.position);
          await delivery.retry();
        }
      }
    } finally {
      unsubscribeRetry();
      // The signal ends the follower while it waits, the return while it has yielded events.
      over.abort();
      await iterator.return?.();
    }
  }

  /** Returns the position, or the oldest one if it is unusable. Then events were missed, which is reported. */
  async function usable(position: Position): Promise<Position> {
    try {
      await readEvents(db, position, 1);
      return position;
    } catch (err) {
      if (!(err instanceof UnusablePosition)) throw err;
      monitor.reportError(err, { consumer: name, reason: err.reason });
      return positionStart(db);
    }
  }

  const running = run();
  return {
    async stop() {
      end.abort();
      wake.set();
      await running;
      unsubscribe();
    },
  };
}
