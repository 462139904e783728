// The event log as services see it: append to it, follow it, and consume it under a name.
import type { Clock } from "../../../lib/clock.ts";
import type { Config } from "../config.ts";
import type { Db } from "../db.ts";
import type { Monitor } from "../monitor.ts";
import type { WakeUps } from "../wake-ups.ts";
import { follow, type Following } from "./follow.ts";
import type { Position } from "./position.ts";
import { positionAt, positionNow, positionStart, readEvents, type LoggedEvent, type Page } from "./read.ts";
import { keepPartitions, openEpoch } from "./store.ts";
import { createTail } from "./tail.ts";

export type { Following } from "./follow.ts";
export { decodePosition, encodePosition, type Position } from "./position.ts";
export { UnusablePosition, type LoggedEvent } from "./read.ts";
export { appendEvents, type NewEvent } from "./store.ts";

export interface EventLogOptions {
  readonly db: Db;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
  readonly monitor: Monitor;
  readonly config: Pick<Config["events"], "retention" | "pollInterval">;
}

export interface EventLog {
  /** The end of the log as it is now. */
  positionNow(): Promise<Position>;
  /** Before the oldest event that is kept. */
  positionStart(): Promise<Position>;
  /** Before the first event recorded at `time` or later; `complete` is false where some are no longer kept. */
  positionAt(time: Date): Promise<{ position: Position; complete: boolean }>;
  /** One page of at most `limit` events. Throws UnusablePosition. */
  read(from: Position, limit: number): Promise<Page>;
  /** Everything from a position on, as it comes, until the signal; all followers of a process share one reader. */
  follow(options: {
    readonly from: Position;
    readonly signal: AbortSignal;
    readonly accepts?: (event: LoggedEvent) => boolean;
  }): Following;
  /** Housekeeping, for the loops of the server. */
  readonly loops: { readonly "event-partitions": () => Promise<{ readonly more: boolean }> };
  /** Ends every following. */
  stop(): Promise<void>;
}

// Two days ahead: enough for a weekend's worth of trouble to be seen, and the default partition is behind them.
const daysAhead = 2;
const partitionsEveryMs = 600_000;

/** Prepares the log for today, in whichever cluster the database is now. */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const { db, wakeUps, clock, config } = options;
  const monitor = options.monitor.child({ prefix: "event-log" });
  const tail = createTail({ db, wakeUps, clock, monitor, pollMs: config.pollInterval });
  const end = new AbortController();
  let keptAt = Number.NEGATIVE_INFINITY;

  async function partitions(): Promise<{ more: boolean }> {
    if (clock.now() < keptAt + partitionsEveryMs) return { more: false };
    const { made, dropped, postponed } = await keepPartitions(db, {
      daysAhead,
      retentionMs: config.retention,
    });
    if (made.length + dropped.length > 0) monitor.log.info({ made, dropped }, "partitions of the event log");
    // Somebody held a lock: the next round of the loop tries again.
    if (postponed.length === 0) keptAt = clock.now();
    return { more: false };
  }

  await openEpoch(db);
  await partitions();

  return {
    positionNow: () => positionNow(db),
    positionStart: () => positionStart(db),
    positionAt: (time) => positionAt(db, time),
    read: (from, limit) => readEvents(db, from, limit),
    follow: (wanted) =>
      follow({ ...wanted, db, tail, clock, signal: AbortSignal.any([wanted.signal, end.signal]) }),
    loops: { "event-partitions": partitions },
    async stop() {
      end.abort();
      await tail.stop();
    },
  };
}
