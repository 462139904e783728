// The public API of the event log: publish events, follow them, and consume them under a name.
import type { Clock } from "../../../lib/clock.ts";
import type { CoreConfig } from "../config/core-settings.ts";
import type { Db } from "../db.ts";
import type { LoopDefinition } from "../loop.ts";
import type { Monitor } from "../monitor.ts";
import type { Sql } from "../sql.ts";
import type { WakeUps } from "../wake-ups.ts";
import { dropDeadLetter, listDeadLetters, requestRetry, type DeadLetterRow } from "./consumer-store.ts";
import { startConsumer, type Consumer, type ConsumerOptions } from "./consumer.ts";
import { follow, type Following, type FollowOptions } from "./follow.ts";
import { createLeadership } from "./leadership.ts";
import type { Position } from "./position.ts";
import { positionAt, positionNow, positionStart, readEvents, type Page } from "./read.ts";
import { keepPartitions, openEpoch } from "./store.ts";
import { createTail } from "./tail.ts";

export type { Consumer, ConsumerOptions } from "./consumer.ts";
export type { ConsumedEvent } from "./delivery.ts";
export type { Following } from "./follow.ts";
export { defineBatchConsumer, defineConsumer, type TypedEvent } from "./define-consumer.ts";
export { publishersOf } from "./publish.ts";
export { eventsTopic, logEvents } from "./log-events.ts";
export { pullFrom } from "./pull.ts";
export { decodePosition, encodePosition, type Position } from "./position.ts";
export { UnusablePosition, type LoggedEvent } from "./read.ts";
export { appendEvents, type NewEvent } from "./store.ts";

export interface EventLogOptions {
  readonly db: Db;
  readonly wakeUps: Pick<WakeUps, "wake" | "subscribe">;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly config: Pick<CoreConfig["events"], "retention" | "pollInterval">;
}

export interface EventLog {
  /** Returns the current end of the log. */
  positionNow(): Promise<Position>;
  /** Returns the position before the oldest event that is kept. */
  positionStart(): Promise<Position>;
  /**
   * Returns the position before the first event recorded at `time` or later. `complete` is false if some of those events
   * are no longer kept.
   */
  positionAt(time: Date): Promise<{ position: Position; complete: boolean }>;
  /**
   * Reads one page of at most `limit` events; with `only`, those that meet this condition on the row `e`. Throws
   * UnusablePosition.
   */
  read(from: Position, limit: number, only?: Sql): Promise<Page>;
  /** Delivers all events after a position until the signal aborts. All followers of a process share one reader. */
  follow(options: Pick<FollowOptions, "from" | "accepts"> & { readonly signal: AbortSignal }): Following;
  /**
   * Handles events under a name, each at least once and in order, and continues where it stopped. One process at a time
   * consumes under a name; the others wait to take over.
   */
  consume(options: ConsumerOptions): Consumer;
  readonly deadLetters: DeadLetters;
  /** Housekeeping. */
  readonly loops: readonly LoopDefinition[];
  /** Stops all consumers and followers. */
  stop(): Promise<void>;
}

/** Events that a consumer failed to handle, by consumer and event id. */
export interface DeadLetters {
  list(page: { after?: { consumer: string; id: number }; limit: number }): Promise<DeadLetterRow[]>;
  /** Requests another try. Returns false if there is no such dead letter. */
  retry(consumer: string, id: number): Promise<boolean>;
  /** Returns false if there is no such dead letter. */
  drop(consumer: string, id: number): Promise<boolean>;
}

// A failure to create partitions can go unnoticed for a weekend. After that, events go to the default partition.
const daysAhead = 2;
/** A lock held by another session postpones a partition to the next iteration. */
const partitionsEveryMs = 60_000;

/** Opens the log: begins a new epoch if the database has moved to another cluster, and creates missing partitions. */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const { db, wakeUps, clock, config } = options;
  const monitor = options.monitor.child({ prefix: "event-log" });
  const tail = createTail({ db, wakeUps, clock, monitor, pollMs: config.pollInterval });
  const end = new AbortController();

  async function partitions(): Promise<{ more: boolean }> {
    const { made, dropped } = await keepPartitions(db, {
      daysAhead,
      retentionMs: config.retention,
    });
    if (made.length + dropped.length > 0) monitor.log.info({ made, dropped }, "partitions of the event log");
    return { more: false };
  }

  await openEpoch(db);
  await partitions();

  const leadership = createLeadership({ db, clock });
  const consumers = new Set<Consumer>();
  const followLog: EventLog["follow"] = ({ signal, ...wanted }) =>
    follow({ ...wanted, db, tail, clock, signals: [signal, end.signal] });

  return {
    positionNow: () => positionNow(db),
    positionStart: () => positionStart(db),
    positionAt: (time) => positionAt(db, time),
    read: (from, limit, only) => readEvents(db, from, limit, only),
    follow: followLog,
    consume(wanted) {
      const consumer = startConsumer({ db, clock, wakeUps, monitor, leadership, follow: followLog }, wanted);
      consumers.add(consumer);
      return {
        stop: () => {
          consumers.delete(consumer);
          return consumer.stop();
        },
      };
    },
    deadLetters: {
      list: (page) => listDeadLetters(db, page),
      retry: (consumer, id) => requestRetry(db, consumer, id),
      drop: (consumer, id) => dropDeadLetter(db, consumer, id),
    },
    loops: [{ name: "event-partitions", intervalMs: partitionsEveryMs, runOnce: partitions }],
    async stop() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      end.abort();
      await tail.stop();
    },
  };
}
