// Following the log from any position on, without end: from the database while behind, then with the tail.
import { backoffDelay } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import { DatabaseUnavailable, type Db } from "../db.ts";
import { createAsyncEvent, type AsyncEvent } from "../async-event.ts";
import type { Position } from "./position.ts";
import { readEvents, type LoggedEvent, type Page, type UnusablePosition } from "./read.ts";
import type { Tail, TailListener } from "./tail.ts";

export interface FollowOptions {
  readonly db: Db;
  readonly tail: Tail;
  readonly clock: Clock;
  readonly from: Position;
  /** Ends the following; the loop over it then ends without an error. */
  readonly signal: AbortSignal;
  /** Which events are wanted; default: all. */
  readonly accepts?: (event: LoggedEvent) => boolean;
}

/**
 * Batches of events, in order, for one loop. What is not taken waits in the database and not in memory. A
 * database that is away is waited for. Throws UnusablePosition.
 */
export interface Following extends AsyncIterable<readonly LoggedEvent[]> {
  /** Of who has had every batch that was given, and what was passed over since. */
  readonly position: Position;
}

const pageSize = 500;
// What a follower may leave lying in memory before it has to read from the database again. The events are shared by
// all followers of a process, so the worst case is this much per follower that is stuck.
const maxWaiting = { events: 1_000, characters: 4 * 1024 * 1024 };
const outage = { baseMs: 100, maxMs: 5_000, jitter: 0.25 };

export function follow(options: FollowOptions): Following {
  const { db, tail, clock, signal, accepts = () => true } = options;
  let position = options.from;
  /** Once nothing but the tail is left to read. */
  let live: Feed | undefined;

  /** A page that is waited for as long as it takes; undefined where the signal came first. */
  async function read(from: Position): Promise<Page | undefined> {
    const wake = createAsyncEvent(clock);
    signal.addEventListener("abort", wake.set, { once: true });
    try {
      for (let failures = 0; !signal.aborted; failures++) {
        try {
          return await readEvents(db, from, pageSize);
        } catch (err) {
          if (!(err instanceof DatabaseUnavailable)) throw err;
          await wake.wait(backoffDelay(failures, outage));
        }
      }
      return undefined;
    } finally {
      signal.removeEventListener("abort", wake.set);
    }
  }

  async function* batches(): AsyncGenerator<readonly LoggedEvent[], void, undefined> {
    while (!signal.aborted) {
      yield* catchUp();
      yield* withTail();
    }
  }

  /** From the database, up to the end of the log as it is then. */
  async function* catchUp(): AsyncGenerator<readonly LoggedEvent[], void, undefined> {
    for (let caughtUp = false; !caughtUp;) {
      const page = await read(position);
      if (!page || signal.aborted) return;
      ({ position, caughtUp } = page);
      const wanted = page.events.filter(accepts);
      if (wanted.length > 0) yield wanted;
    }
  }

  /** With the tail, until this follower is so slow that it has to catch up. */
  async function* withTail(): AsyncGenerator<readonly LoggedEvent[], void, undefined> {
    const wake = createAsyncEvent(clock);
    signal.addEventListener("abort", wake.set, { once: true });
    const feed = createFeed(accepts, wake);
    let joinedAt: Position | undefined;
    tail.join(feed, (at) => {
      joinedAt = at;
      wake.set();
    });
    try {
      // The caller's own last look and the moment of joining are two snapshots: what lies between them is one
      // more window, which nobody has read yet.
      while (!joinedAt && !signal.aborted) await wake.wait(forever);
      if (!joinedAt) return;
      position = { log: position.log, done: position.done, window: { until: joinedAt.done, cursor: 0 } };
      while (position.window) {
        const page = await read(position);
        if (!page || signal.aborted) return;
        ({ position } = page);
        const wanted = page.events.filter(accepts);
        if (wanted.length > 0) yield wanted;
      }
      live = feed;
      while (!signal.aborted) {
        const taken = feed.take();
        if (taken === "overflow") return;
        if (taken.position) position = taken.position;
        if (taken.events.length > 0) yield taken.events;
        else await wake.wait(forever);
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
      return live?.passed() ?? position;
    },
  };
}

// The wake rings for events and for the end; this is only to look around now and then.
const forever = 60_000;

interface Feed extends TailListener {
  /** What waits, and the position of who has had it. */
  take(): { events: LoggedEvent[]; position: Position | undefined } | "overflow";
  /** The position of who has had nothing of what waits: known only where nothing does. */
  passed(): Position | undefined;
}

function createFeed(accepts: (event: LoggedEvent) => boolean, wake: AsyncEvent): Feed {
  let events: LoggedEvent[] = [];
  let characters = 0;
  let position: Position | undefined;
  let overflowed = false;
  let failure: UnusablePosition | undefined;
  return {
    push(batch, at) {
      if (overflowed) return;
      const wanted = batch.filter(accepts);
      for (const event of wanted) characters += event.payload.length;
      if (events.length + wanted.length > maxWaiting.events || characters > maxWaiting.characters) {
        overflowed = true;
        events = [];
      } else {
        events = events.length === 0 ? wanted : [...events, ...wanted];
        position = at;
      }
      if (wanted.length > 0) wake.set();
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
    passed: () => (overflowed || events.length > 0 ? undefined : position),
  };
}
