// A named consumer: handles events in their order, each at least once, across restarts and processes.
import { backoffDelay, type Backoff } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import { createBell } from "../bell.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import type { WakeUps } from "../wake-ups.ts";
import * as store from "./consumer-store.ts";
import type { Following } from "./follow.ts";
import type { Leadership, Term } from "./leadership.ts";
import { decodePosition, encodePosition, type Position } from "./position.ts";
import { pullFrom } from "./pull.ts";
import { positionNow, positionStart, readEvents, UnusablePosition, type LoggedEvent } from "./read.ts";

/** An event as a consumer handles it. Tried again from the dead letters it has no place in the log any more. */
export type ConsumedEvent = Omit<LoggedEvent, "position">;

export interface ConsumerOptions {
  /** A constant, under which the position is stored. */
  readonly name: string;
  /** Which events it wants; default: all. */
  readonly accepts?: (event: LoggedEvent) => boolean;
  /** Where it begins when it runs for the first time ever; default: now. */
  readonly begin?: "now" | "start";
  /** Events handed over at once, at most; default 1. */
  readonly batch?: number;
  /**
   * Takes effect, then resolves: only then are the events done with. After a crash they come again. A batch that
   * rejects is handed over again event by event.
   */
  readonly handle: (events: readonly ConsumedEvent[], signal: AbortSignal) => Promise<void>;
  /**
   * Whether a failure has nothing to do with the event, such as a broker that is away: then it is tried again for
   * as long as it takes. Default: errors of status 503, which the database's are.
   */
  readonly isOutage?: (err: unknown) => boolean;
  /** Tries of an event before it becomes a dead letter; default 5, within about 6 seconds. */
  readonly attempts?: number;
}

export interface Consumer {
  /** Lets the handler end what it has begun, and gives the name free. */
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
  }) => Following;
}

// Between processes: how soon another takes over when one that held the name is gone without a word.
const candidacyMs = 5_000;
// How much of passing over unwanted events may be repeated after a restart.
const storeEveryMs = 10_000;
const retryBackoff: Backoff = { baseMs: 400, maxMs: 10_000, jitter: 0.25 };
const outageBackoff: Backoff = { baseMs: 200, maxMs: 30_000, jitter: 0.25 };

/** The wake-up topics of a consumer: its name became free, or dead letters of it are to be tried again. */
const freeTopic = (name: string): string => `consumer:${name}`;
export const retryTopic = (name: string): string => `dead-letters:${name}`;

const isUnavailable = (err: unknown): boolean => err instanceof ApiError && err.code === "ServiceUnavailable";

/** Starts consuming, or waiting for its turn where another process consumes under this name. */
export function startConsumer(context: ConsumerContext, options: ConsumerOptions): Consumer {
  const { db, clock, wakeUps, leadership } = context;
  const { name, handle, batch = 1, attempts = 5, isOutage = isUnavailable } = options;
  const monitor = context.monitor.child({ prefix: name });
  const end = new AbortController();
  const bell = createBell(clock);
  const unsubscribe = wakeUps.subscribe(freeTopic(name), bell.ring);

  async function run(): Promise<void> {
    for (let failures = 0; !end.signal.aborted;) {
      try {
        const term = await leadership.take(name);
        if (term) await lead(term);
        failures = 0;
        if (!end.signal.aborted && !term) await bell.wait(candidacyMs);
      } catch (err) {
        if (isUnavailable(err)) monitor.log.warn({ err, failures }, "consumer interrupted; trying again");
        else monitor.reportError(err, { failures });
        if (!end.signal.aborted) await bell.wait(backoffDelay(failures++, outageBackoff));
      }
    }
  }

  /** Consumes while this process has the name. */
  async function lead(term: Term): Promise<void> {
    const signal = AbortSignal.any([end.signal, term.lost]);
    try {
      await consume(signal);
    } catch (err) {
      // What was under way when it ended has failed for that reason, and comes again.
      if (!signal.aborted) throw err;
    } finally {
      await term.release();
      wakeUps.wake(freeTopic(name));
    }
  }

  async function consume(signal: AbortSignal): Promise<void> {
    const first = options.begin === "start" ? await positionStart(db) : await positionNow(db);
    let stored = await store.openConsumer(db, name, encodePosition(first));

    async function advance(to: Position): Promise<void> {
      const text = encodePosition(to);
      if (text === stored) return;
      if (!(await store.advanceConsumer(db, name, stored, text)))
        throw new Error(`another process consumes as ${name}, or its position was changed by hand`);
      stored = text;
    }

    /** Undefined where it went well, otherwise what the event itself is to blame for. Outages are sat out. */
    async function failureOf(events: readonly ConsumedEvent[]): Promise<Error | undefined> {
      for (let outages = 0; ; outages++) {
        try {
          await handle(events, signal);
          monitor.metrics.eventsRead.inc({ reader: name }, events.length);
          return undefined;
        } catch (err) {
          signal.throwIfAborted();
          if (!isOutage(err)) return err instanceof Error ? err : new Error(String(err));
          monitor.log.warn({ err, outages }, "consumer held up; trying again");
          await pause(backoffDelay(outages, outageBackoff));
        }
      }
    }

    async function pause(ms: number): Promise<void> {
      const over = createBell(clock);
      signal.addEventListener("abort", over.ring, { once: true });
      await over.wait(ms);
      signal.removeEventListener("abort", over.ring);
      signal.throwIfAborted();
    }

    async function deliver(events: readonly LoggedEvent[]): Promise<void> {
      const [event] = events;
      const last = events.at(-1);
      if (!event || !last) return;
      let failure = await failureOf(events);
      if (failure && events.length > 1) {
        for (const single of events) await deliver([single]);
        return;
      }
      for (let tries = 1; failure && tries < attempts; tries++) {
        monitor.log.warn(
          { err: failure, event: event.id, tries },
          "an event could not be handled; trying again",
        );
        await pause(backoffDelay(tries - 1, retryBackoff));
        failure = await failureOf(events);
      }
      if (failure) {
        const error = failure.message;
        const incident = monitor.reportError(failure, { event: event.id, exchange: event.exchange });
        await store.parkEvent(db, name, event, { attempts, error: `${error} (incident ${incident})` });
        monitor.count("parked");
      }
      await advance(last.position);
    }

    /** Dead letters that somebody asked for: one try each. */
    async function retry(): Promise<void> {
      for (const row of await store.listRetries(db, name, 100)) {
        const { event_id: id, routing_key: routingKey, cc: routes, exchange, payload, recorded } = row;
        const event: ConsumedEvent = { id, exchange, routingKey, routes, payload, recorded };
        const failure = await failureOf([event]);
        if (failure) await store.parkEvent(db, name, event, { attempts: 1, error: failure.message });
        else await store.dropDeadLetter(db, name, id);
      }
    }

    const from = await usable(decodePosition(stored));
    const { accepts } = options;
    const over = new AbortController();
    const following = context.follow({
      from,
      signal: AbortSignal.any([signal, over.signal]),
      ...(accepts && { accepts }),
    });
    const iterator = following[Symbol.asyncIterator]();
    const pull = pullFrom(iterator, clock);
    const unsubscribeRetry = wakeUps.subscribe(retryTopic(name), pull.ring);
    try {
      await advance(from);
      await retry();
      for (;;) {
        const next = await pull.next(storeEveryMs);
        if (signal.aborted || next?.done === true) return;
        if (next) {
          for (let i = 0; i < next.value.length && !signal.aborted; i += batch)
            await deliver(next.value.slice(i, i + batch));
        } else {
          await advance(following.position);
          await retry();
        }
      }
    } finally {
      unsubscribeRetry();
      // The signal ends it where it waits, the return where it has given something.
      over.abort();
      await iterator.return?.();
    }
  }

  /** The stored position, or the oldest one where the log no longer goes on from there: then events were missed. */
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
      bell.ring();
      await running;
      unsubscribe();
    },
  };
}
