// Reads the log: pages of events after any position, and the positions to begin at.
import { ApiError } from "../../../lib/errors.ts";
import type { Db } from "../db.ts";
import type { Sql } from "../sql.ts";
import type { Mark, Position } from "./position.ts";
import * as store from "./store.ts";

/** An event with its message as the stored text. */
export interface LoggedEvent {
  /** Increases from event to event of one task, but not along the log: use `position` for the position of a reader. */
  readonly id: number;
  readonly exchange: string;
  readonly routingKey: string;
  /** Each is an additional routing key `route.<route>`. */
  readonly routes: readonly string[];
  readonly payload: string;
  /** When its transaction began, by the clock of the database. */
  readonly recorded: Date;
  /** The position after this event. */
  readonly position: Position;
}

export interface Page {
  readonly events: readonly LoggedEvent[];
  /** The position after the page. */
  readonly position: Position;
  /** Whether the page reaches the end of the log at the time of the read. */
  readonly caughtUp: boolean;
}

/** A position of another log, or one after which events are no longer kept. */
export class UnusablePosition extends ApiError {
  readonly reason: "foreign" | "dropped";
  constructor(reason: "foreign" | "dropped") {
    super(
      reason === "foreign" ? "InputError" : "ResourceExpired",
      reason === "foreign"
        ? "The position is from another installation, or from a database that was replaced by an older copy. Begin without a position, or with a time."
        : "The events after the position are no longer kept. Begin without a position, or with a time within the retention.",
    );
    this.name = "UnusablePosition";
    this.reason = reason;
  }
}

// A mark lists each transaction id between the last one that ended and the next one. There are as many as transactions in
// progress, unless one of them (in any database of the cluster) uses thousands of savepoints.
const maxAhead = 1_000;

/**
 * Reads up to `limit` events after `from`, in order; with `only`, those that meet this condition on the row `e`. Throws
 * UnusablePosition. Takes a `Db` because it must not run in a transaction.
 */
export async function readEvents(db: Db, from: Position, limit: number, only?: Sql): Promise<Page> {
  let position = from;
  for (let attempt = 0; ; attempt++) {
    const { here, events } = await store.readPage(db, position, limit, only);
    const usable = await inThisEpoch(db, position, here);
    if (usable !== position) {
      position = usable;
      continue;
    }
    if (!position.window && here.ahead > maxAhead && attempt === 0) {
      await store.spendTransactionId(db);
      continue;
    }
    return page(position, position.window?.until ?? here.mark, events, limit);
  }
}

function page({ log, done, window }: Position, until: Mark, rows: store.EventRow[], limit: number): Page {
  const at = (cursor: number): Position => ({ log, done, window: { until, cursor } });
  const events = rows.map((row) => ({
    id: row.id,
    exchange: row.exchange,
    routingKey: row.routing_key,
    routes: row.cc,
    payload: row.payload,
    recorded: row.recorded,
    position: at(row.id),
  }));
  const last = events.at(-1);
  if (last && events.length === limit) return { events, position: last.position, caughtUp: false };
  return { events, position: { log, done: until }, caughtUp: !window };
}

/** Returns the current end of the log: a reader from here gets the events that become visible from now on. */
export async function positionNow(db: Db): Promise<Position> {
  const { log, mark } = await settledHere(db);
  return { log, done: mark };
}

/** Returns the position before the oldest event that is kept. */
export async function positionStart(db: Db): Promise<Position> {
  const { log, mark, droppedThrough } = await store.readHere(db);
  return { log, done: { epoch: mark.epoch, lastId: droppedThrough, inFlight: [] } };
}

/**
 * Returns the position before the first event that was recorded at `time` or later. `complete` is false if retention has
 * dropped some of those events.
 */
export async function positionAt(db: Db, time: Date): Promise<{ position: Position; complete: boolean }> {
  const droppedBefore = await store.readDroppedBefore(db);
  const { here, firstId } = await store.readHereSince(db, time);
  // Transactions in flight may have events with smaller ids than the first visible one that were recorded after `time`.
  const lastId = Math.max(firstId === null ? here.mark.lastId : firstId - 1, here.droppedThrough);
  const position = { log: here.log, done: { ...here.mark, lastId } };
  return { position, complete: droppedBefore === null || time >= droppedBefore };
}

async function settledHere(db: Db): Promise<store.Here> {
  const here = await store.readHere(db);
  if (here.ahead <= maxAhead) return here;
  await store.spendTransactionId(db);
  return store.readHere(db);
}

/**
 * Returns the position to read from in the current epoch, the same object if it needs no change. Marks of former epochs
 * have transaction ids of another cluster, which remain valid for the events of that epoch. But if the database was
 * restored from a copy that is older than the mark, event ids up to `lastId` were drawn again.
 */
async function inThisEpoch(db: Db, position: Position, here: store.Here): Promise<Position> {
  const { log, done, window } = position;
  const marks = window ? [done, window.until] : [done];
  const { epoch: current, lastId } = here.mark;
  if (log !== here.log) throw new UnusablePosition("foreign");
  if (marks.some((mark) => mark.epoch > current || (mark.epoch === current && mark.lastId > lastId)))
    throw new UnusablePosition("foreign");
  if (Math.max(done.lastId, window?.cursor ?? 0) < here.droppedThrough) throw new UnusablePosition("dropped");
  if (marks.every((mark) => mark.epoch === current)) return position;

  const epochs = await store.listEpochs(db);
  const clamp = (mark: Mark): Mark => {
    const next = epochs.find(({ epoch }) => epoch === mark.epoch + 1);
    return next && next.base_id < mark.lastId ? { ...mark, lastId: next.base_id } : mark;
  };
  const clampedDone = clamp(done);
  const clampedUntil = window && clamp(window.until);
  if (clampedDone === done && clampedUntil === window?.until) return position;
  return {
    log,
    done: clampedDone,
    ...(window && clampedUntil && { window: { until: clampedUntil, cursor: window.cursor } }),
  };
}
