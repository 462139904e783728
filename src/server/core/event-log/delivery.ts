// Delivers events to the handler of a consumer: waits out outages, retries failures, and stores dead letters.
import { backoffDelay, type Backoff } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { pause } from "../../../lib/retry.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import { isUnavailable } from "../outage.ts";
import * as store from "./consumer-store.ts";
import type { Position } from "./position.ts";
import type { LoggedEvent } from "./read.ts";

/** An event as a consumer handles it. It has no position, because a dead letter may be retried when its event is gone. */
export type ConsumedEvent = Omit<LoggedEvent, "position">;

export interface DeliveryOptions {
  /** A constant. Position and dead letters are stored under it. */
  readonly name: string;
  /**
   * Resolves when the events have taken effect. They count as handled from then on; after a crash they are delivered
   * again. A batch that rejects is delivered again event by event.
   */
  readonly handle: (events: readonly ConsumedEvent[], signal: AbortSignal) => Promise<void>;
  /**
   * Reports whether a failure is unrelated to the event, such as an unavailable broker. Those are retried without limit.
   * Default: errors of status 503, such as those of the database.
   */
  readonly isOutage?: (err: unknown) => boolean;
  /** Tries before an event becomes a dead letter. Default: 5, within about 6 seconds. */
  readonly attempts?: number;
}

export interface DeliveryContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Ends every wait. It is passed to the handler. */
  readonly signal: AbortSignal;
  /** Stores the position of the consumer. */
  readonly advance: (to: Position) => Promise<void>;
}

export interface Delivery {
  /** Resolves when each event was handled or became a dead letter. Rejects if the signal aborts first. */
  deliver(events: readonly LoggedEvent[]): Promise<void>;
  /** Tries the dead letters once for which that was requested. */
  retry(): Promise<void>;
}

const retryBackoff: Backoff = { baseMs: 400, maxMs: 10_000, jitter: 0.25 };
const outageBackoff: Backoff = { baseMs: 200, maxMs: 30_000, jitter: 0.25 };
// The rest is tried the next time, so that new events are not delayed for long.
const maxRetriesPerCall = 100;

export function createDelivery(context: DeliveryContext, options: DeliveryOptions): Delivery {
  const { db, clock, monitor, signal, advance } = context;
  const { name, handle, isOutage = isUnavailable, attempts = 5 } = options;

  /** Returns undefined on success, otherwise the failure that the events caused. Waits out outages. */
  async function failureOf(events: readonly ConsumedEvent[]): Promise<Error | undefined> {
    for (let outages = 0; ; outages++) {
      try {
        await handle(events, signal);
        monitor.metrics.eventsRead.inc({ reader: name }, events.length);
        return undefined;
      } catch (err) {
        signal.throwIfAborted();
        if (!isOutage(err)) return err instanceof Error ? err : new Error(String(err));
        monitor.log.warn({ err, outages }, "the consumer is held up by an outage; retrying");
        await pause(clock, backoffDelay(outages, outageBackoff), signal);
      }
    }
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
      monitor.log.warn({ err: failure, event: event.id, tries }, "handling an event failed; retrying");
      await pause(clock, backoffDelay(tries - 1, retryBackoff), signal);
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
    for (const row of await store.listRetries(db, name, maxRetriesPerCall)) {
      const { event_id: id, routing_key: routingKey, cc: routes, exchange, payload, recorded } = row;
      const event: ConsumedEvent = { id, exchange, routingKey, routes, payload, recorded };
      const failure = await failureOf([event]);
      if (failure) await store.parkEvent(db, name, event, { attempts: 1, error: failure.message });
      else await store.dropDeadLetter(db, name, id);
    }
  }

  return { deliver, retry };
}
