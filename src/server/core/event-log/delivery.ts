// Handing events to a consumer's handler: sitting out outages, trying again, and parking what is hopeless.
import { backoffDelay, type Backoff } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import { createAsyncEvent } from "../async-event.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import * as store from "./consumer-store.ts";
import type { Position } from "./position.ts";
import type { LoggedEvent } from "./read.ts";

/** An event as a consumer handles it. Tried again from the dead letters, it has no place in the log any more. */
export type ConsumedEvent = Omit<LoggedEvent, "position">;

export interface DeliveryOptions {
  /** A constant, under which position and dead letters are stored. */
  readonly name: string;
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

export interface DeliveryContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Ends every wait; the handler gets it too. */
  readonly signal: AbortSignal;
  /** Stores how far the consumer has come. */
  readonly advance: (to: Position) => Promise<void>;
}

export interface Delivery {
  /** Resolves when the events are done with, one way or the other; rejects where the signal came first. */
  deliver(events: readonly LoggedEvent[]): Promise<void>;
  /** Hands over the dead letters that somebody wants tried again, once each. */
  retry(): Promise<void>;
}

const retryBackoff: Backoff = { baseMs: 400, maxMs: 10_000, jitter: 0.25 };
const outageBackoff: Backoff = { baseMs: 200, maxMs: 30_000, jitter: 0.25 };
// The rest is taken in the next round, so that new events are not kept waiting for ever.
const retriesAtOnce = 100;

export const isUnavailable = (err: unknown): boolean =>
  err instanceof ApiError && err.code === "ServiceUnavailable";

export function createDelivery(context: DeliveryContext, options: DeliveryOptions): Delivery {
  const { db, clock, monitor, signal, advance } = context;
  const { name, handle, isOutage = isUnavailable, attempts = 5 } = options;

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
    const over = createAsyncEvent(clock);
    signal.addEventListener("abort", over.set, { once: true });
    await over.wait(ms);
    signal.removeEventListener("abort", over.set);
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

  async function retry(): Promise<void> {
    for (const row of await store.listRetries(db, name, retriesAtOnce)) {
      const { event_id: id, routing_key: routingKey, cc: routes, exchange, payload, recorded } = row;
      const event: ConsumedEvent = { id, exchange, routingKey, routes, payload, recorded };
      const failure = await failureOf([event]);
      if (failure) await store.parkEvent(db, name, event, { attempts: 1, error: failure.message });
      else await store.dropDeadLetter(db, name, id);
    }
  }

  return { deliver, retry };
}
