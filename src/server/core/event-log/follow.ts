// Follows the log from any position without end: reads from the database while behind, then shares the tail.
import { backoffDelay } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { linkSignals } from "../../../lib/linked-signal.ts";
import { createAsyncEvent, type AsyncEvent } from "../async-event.ts";
import { DatabaseUnavailable, type Db } from "../db.ts";
import type { Position } from "./position.ts";
import { readEvents, type LoggedEvent, type Page, type UnusablePosition } from "./read.ts";
import type { Tail, TailListener } from "./tail.ts";

export interface FollowOptions {
  readonly db: Db;
  readonly tail: Tail;
  readonly clock: Clock;
  readonly from: Position;
  /** The first that aborts ends the iteration without an error. */
  readonly signals: readonly AbortSignal[];
  /** Selects events. Default: all. */
  readonly accepts?: (event: LoggedEvent) => boolean;
  /** See `TailListener`. Default: 0. */
  readonly patienceMs?: number;
}

type Batches = AsyncGenerator<readonly LoggedEvent[], void, undefined>;

/**
 * Batches of events, in order, for one loop. Events that were not taken yet stay in the database, not in memory. Waits
 * for a database that is unavailable. Throws UnusablePosition.
 */
export interface Following extends AsyncIterable<readonly LoggedEvent[]> {
  /** The position after the last delivered batch, including skipped events. */
  readonly position: Position;
}

const pageSize = 500;
// How much a follower may leave in memory before it has to read from the database again. All followers of a process share
// the event objects, so the worst case is this much per stalled follower.
const maxWaiting = { events: 1_000, characters: 4 * 1024 * 1024 };
const outage = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

export function follow(options: FollowOptions): Following {
  const { db, tail, clock, signals, accepts = () => true, patienceMs = 0 } = options;
  let position = options.from;
  /** Set while only the tail is left to read. */
  let live: Feed | undefined;

  /** Reads a page and retries for as long as that takes. Returns undefined if the signal aborts first. */
  async function read(from: Position, signal: AbortSignal): Promise<Page | undefined> {
    const aborted = createAsyncEvent(clock);
    signal.addEventListener("abort", aborted.set, { once: true });
    try {
      for (let failures = 0; !signal.aborted; failures++) {
        try {
          return await readEvents(db, from, pageSize);
        } catch (err) {
          if (!(err instanceof DatabaseUnavailable)) throw err;
          await aborted.wait(backoffDelay(failures, outage));
        }
      }
      return undefined;
    } finally {
      signal.removeEventListener("abort", aborted.set);
    }
  }

  async function* batches(): Batches {
    const { signal, dispose } = linkSignals(...signals);
    try {
      while (!signal.aborted) {
        yield* catchUp(signal);
        yield* followTail(signal);
      }
    } finally {
      dispose();
    }
  }

  /** Reads from the database, up to the current end of the log. */
  async function* catchUp(signal: AbortSignal): Batches {
    for (let caughtUp = false; !caughtUp;) {
      const page = await read(position, signal);
      if (!page || signal.aborted) return;
      ({ position, caughtUp } = page);
      const accepted = page.events.filter(accepts);
      if (accepted.length > 0) yield accepted;
    }
  }

  /** Follows the tail, until this follower is so slow that it has to catch up. */
  async function* followTail(signal: AbortSignal): Batches {
    const wake = createAsyncEvent(clock);
    signal.addEventListener("abort", wake.set, { once: true });
    const feed = createFeed(patienceMs, accepts, wake);
    let joinedAt: Position | undefined;
    tail.join(feed, (at) => {
      joinedAt = at;
      wake.set();
    });
    try {
      // The last read of this follower and the moment of joining are two snapshots. The events between them are another
      // window, which nobody has read yet.
      while (!joinedAt && !signal.aborted) await wake.wait(recheckMs);
      if (!joinedAt) return;
      position = { log: position.log, done: position.done, window: { until: joinedAt.done, cursor: 0 } };
      while (position.window) {
        const page = await read(position, signal);
        if (!page || signal.aborted) return;
        ({ position } = page);
        const accepted = page.events.filter(accepts);
        if (accepted.length > 0) yield accepted;
      }
      live = feed;
      while (!signal.aborted) {
        const taken = feed.take();
        if (taken === "overflow") return;
        if (taken.position) position = taken.position;
        if (taken.events.length > 0) yield taken.events;
        else await wake.wait(recheckMs);
      }
    } finally {
      tail.leave(feed);
      live = undefined;
      signal.removeEventListener("abort", wake.set);
    }
  }

  const iterator = batches();
  return {
    [Symbol.asyncIterator]: () => iterator,
    get position() {
      return live?.skippedTo() ?? position;
    },
  };
}

// Events and aborts wake the follower. The timeout is only a fallback.
const recheckMs = 60_000;

interface Feed extends TailListener {
  /** Returns the waiting events and the position after them. */
  take(): { events: LoggedEvent[]; position: Position | undefined } | "overflow";
  /** Returns the position after the skipped events. Known only while no event is waiting. */
  skippedTo(): Position | undefined;
}

function createFeed(patienceMs: number, accepts: (event: LoggedEvent) => boolean, wake: AsyncEvent): Feed {
  let events: LoggedEvent[] = [];
  let characters = 0;
  let position: Position | undefined;
  let overflowed = false;
  let failure: UnusablePosition | undefined;
  return {
    patienceMs,
    push(batch, at) {
      if (overflowed) return;
      const accepted = batch.filter(accepts);
      for (const event of accepted) characters += event.payload.length;
      if (events.length + accepted.length > maxWaiting.events || characters > maxWaiting.characters) {
        overflowed = true;
        events = [];
      } else {
        events = events.length === 0 ? accepted : [...events, ...accepted];
        position = at;
      }
      if (accepted.length > 0) wake.set();
    },
    fail(err) {
      failure = err;
      wake.set();
    },
    take() {
      if (failure) throw failure;
      if (overflowed) return "overflow";
      const taken = { events, position };
      events = [];
      characters = 0;
      return taken;
    },
    skippedTo: () => (overflowed || events.length > 0 ? undefined : position),
  };
}
