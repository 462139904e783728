// The statements of the event log, and the proof that reading is correct.
//
// Transactions commit in a different order than they draw ids, so reading "ids after the last one" loses events. Instead, a
// reader delivers the events that one snapshot of the database contains and an earlier one does not, sorted by id, and then
// continues with the next pair of snapshots. Snapshots follow the order of commits. So no event is skipped or repeated; an
// event that waited for a row lock comes after the event it waited for (in a later window, or in the same one with a larger
// id); and a transaction that stays open for an hour delays only its own events.
//
// A snapshot is stored as a Mark, "ids up to lastId, except those of the transactions inFlight". The two are equivalent
// because `hereCte` reads in this order:
//
// 1. the snapshot S of the statement, with its list of transactions in progress and its xmax;
// 2. lastId, the last id that was drawn. Every event in S was drawn before S, so its id is at most lastId;
// 3. next, the next transaction id to be assigned. A transaction that drew an id up to lastId got its transaction id before
//    (the default of events.id ensures that), so that is below next.
//
// So of the ids up to lastId, S lacks exactly those of the transactions in its list and from xmax to next: together,
// inFlight. xmax alone would not be enough: it is one past the last transaction that *ended*, and a later one may have
// drawn ids already. Nor would the list alone with ids: one transaction can draw ids on both sides of lastId.
import Type, { type Static } from "typebox";
import { Timestamp, type Db, type Queryable } from "../db.ts";
import { sql, type Sql } from "../sql.ts";
import { logEvents } from "./log-events.ts";
import type { Mark, Position } from "./position.ts";
import { InternalError } from "../../../lib/internal-error.ts";

const Row = Type.Object({
  kind: Type.Unsafe<"here" | "event">({ enum: ["here", "event"] }),
  id: Type.Integer(),
  exchange: Type.String(),
  routing_key: Type.String(),
  cc: Type.Array(Type.String()),
  /** The message of an event, or the HereFacts of `here` as JSON. */
  payload: Type.String(),
  recorded: Timestamp,
});
export type EventRow = Static<typeof Row>;

/** The state of the log at the time of a statement. */
export interface Here {
  readonly log: number;
  /** The mark of all visible events. */
  readonly mark: Mark;
  /** The number of transaction ids that were assigned after the one of the last transaction that ended. */
  readonly ahead: number;
  /** The largest event id that retention has dropped. */
  readonly droppedThrough: number;
}

interface HereFacts {
  log: number;
  epoch: number;
  snapshot: string;
  ahead: number;
  droppedThrough: number;
}

/**
 * The last event id that was drawn. Reads the sequence under the lock of its page. A plain select of `last_value` does not:
 * every 32nd draw puts a value into the page that is 32 too large, for as long as it takes to log it. Events that drew the
 * ids in between later would count as read. The function returns null before the first draw.
 */
export const lastDrawnId: Sql = sql`coalesce(pg_sequence_last_value('events_id_seq'), 0)`;

// `materialized` makes the statement read the sequence once. `case` makes age() run after that, because an argument is
// evaluated before its call. age() of the snapshot's xmax counts up to the next id to be assigned. It caches that id for the
// rest of its transaction, and so do later snapshots in REPEATABLE READ: these statements must not share a transaction, so
// they take a Db and not a Queryable.
const hereCte: Sql = sql`
  drawn as materialized (
    select ${lastDrawnId} as last_id
  ),
  here as materialized (
    select l.tag, d.last_id, l.dropped_through, (select max(epoch) from event_epochs) as epoch,
      pg_current_snapshot() as snapshot,
      age(case when d.last_id is not null then pg_snapshot_xmax(pg_current_snapshot())::xid end) as ahead
    from drawn d cross join event_log l
  )`;

const hereRow: Sql = sql`
  select 'here' as kind, h.last_id as id, '' as exchange, '' as routing_key, '{}'::text[] as cc,
    json_build_object('log', h.tag, 'epoch', h.epoch, 'snapshot', h.snapshot::text, 'ahead', h.ahead,
      'droppedThrough', h.dropped_through)::text as payload,
    now() as recorded
  from here h`;

const eventColumns: Sql = sql`e.id, e.exchange, e.routing_key, e.cc, e.payload, e.recorded`;

/**
 * Reads up to `limit` events after `position`, by id, and the state of the log at that time. A position without a window
 * is read up to that state. Must not run in a transaction (see above).
 *
 * The events of a window are those of `done.inFlight` with ids up to `done.lastId`, and all with larger ids. The former are
 * found per transaction through the index on (xid, id). The condition is a row comparison: for `xid = … and id > …` the
 * planner chose the index on id alone and walked past all other events, which took 40 s instead of 1 ms.
 *
 * `only` is a condition on `e`. With that of a partial index on id, the cost does not depend on the number of other events.
 */
export async function readPage(
  db: Db,
  { done, window }: Position,
  limit: number,
  only: Sql = sql`true`,
): Promise<{ here: Here; events: EventRow[] }> {
  const cursor = window?.cursor ?? 0;
  const until = window?.until ?? null;
  const late = cursor < done.lastId ? done.inFlight : [];
  const visible = sql`e.id <= coalesce(${until?.lastId}::bigint, 9223372036854775807)
      and not (e.epoch = coalesce(${until?.epoch}::integer, 0) and e.xid = any (${until?.inFlight ?? []}::xid8[]))
      and ${only}`;
  const rows = await db.many(
    Row,
    sql`
    with ${hereCte}
    ${hereRow}
    union all
    (
      select 'event', p.id, p.exchange, p.routing_key, p.cc, p.payload, p.recorded
      from (
        (
          select late_events.*
          from unnest(${late}::xid8[]) as late (xid)
          cross join lateral (
            select ${eventColumns} from events e
            where (e.xid, e.id) > (late.xid, ${cursor}::bigint) and (e.xid, e.id) <= (late.xid, ${done.lastId}::bigint)
              and e.epoch = ${done.epoch} and ${visible}
            order by e.xid, e.id limit ${limit}
          ) late_events
        )
        union all
        (
          select ${eventColumns} from events e
          where e.id > greatest(${cursor}::bigint, ${done.lastId}::bigint) and ${visible}
          order by e.id limit ${limit}
        )
      ) p
      order by p.id limit ${limit}
    )`,
  );
  // The database may return the two halves in any order.
  const events = rows.filter((row) => row.kind === "event").sort((a, b) => a.id - b.id);
  return { here: hereOf(rows), events };
}

/** Reads the current state of the log. Must not run in a transaction. */
export async function readHere(db: Db): Promise<Here> {
  return hereOf(await db.many(Row, sql`with ${hereCte} ${hereRow}`));
}

/**
 * Reads the state of the log, and in `firstId` the smallest id among the events recorded at `time` or later, or null. Walks
 * the ids of the day of `time`: about a second for five million events.
 */
export async function readHereSince(db: Db, time: Date): Promise<{ here: Here; firstId: number | null }> {
  const rows = await db.many(
    Row,
    sql`with ${hereCte} ${hereRow}
    union all
    select 'event', first.id, '', '', '{}', '', ${time}
    from (select min(e.id) as id from events e where e.recorded >= ${time}) first
    where first.id is not null`,
  );
  return { here: hereOf(rows), firstId: rows.find((row) => row.kind === "event")?.id ?? null };
}

function hereOf(rows: readonly EventRow[]): Here {
  const row = rows.find(({ kind }) => kind === "here");
  if (row === undefined)
    throw new Error(
      "the table event_log has no row, perhaps because it was deleted manually. Restore the database from a backup.",
    );
  // Built by hereRow, right above.
  const { log, epoch, snapshot, ahead, droppedThrough } = JSON.parse(row.payload) as HereFacts;
  const [, xmax = "", inProgress = ""] = snapshot.split(":");
  const inFlight = inProgress === "" ? [] : inProgress.split(",").map(Number);
  for (let xid = Number(xmax), last = xid + ahead; xid < last; xid++) inFlight.push(xid);
  return { log, mark: { epoch, lastId: row.id, inFlight }, ahead, droppedThrough };
}

/** Uses up a transaction id, so that all ids assigned before it are below the xmax of later snapshots. */
export async function spendTransactionId(db: Db): Promise<void> {
  await db.run(sql`select pg_current_xact_id()`);
}

const EpochRow = Type.Object({ epoch: Type.Integer(), base_id: Type.Integer() });

/** Returns the epochs of the log. Events with ids up to `base_id` belong to earlier ones. */
export function listEpochs(db: Queryable): Promise<Static<typeof EpochRow>[]> {
  return db.many(EpochRow, sql`select epoch, base_id from event_epochs order by epoch`);
}

const DroppedRow = Type.Object({ dropped_before: Type.Union([Timestamp, Type.Null()]) });

/** Returns the time before which retention has dropped events, or null if it has dropped none. */
export async function readDroppedBefore(db: Queryable): Promise<Date | null> {
  return (await db.maybeOne(DroppedRow, sql`select dropped_before from event_log`))?.dropped_before ?? null;
}

const OpenRow = Type.Object({ epoch: Type.Integer() });

/** Begins a new epoch if the database has moved to another cluster. Returns the current epoch. */
export async function openEpoch(db: Queryable): Promise<number> {
  const row = await db.maybeOne(OpenRow, sql`select event_log_open() as epoch`);
  if (row === undefined) throw new InternalError("event_log_open returned no row");
  return row.epoch;
}

const PartitionsRow = Type.Object({
  made: Type.Array(Type.String()),
  dropped: Type.Array(Type.String()),
  postponed: Type.Array(Type.String()),
});

/** Creates the partitions of today and the days ahead, and drops those past retention. `now` defaults to that of the database. */
export async function keepPartitions(
  db: Queryable,
  options: { daysAhead: number; retentionMs: number; now?: Date },
): Promise<Static<typeof PartitionsRow>> {
  const row = await db.maybeOne(
    PartitionsRow,
    sql`select made, dropped, postponed from event_log_keep_partitions(
      coalesce(${options.now}::timestamptz, now()), ${options.daysAhead},
      make_interval(secs => ${options.retentionMs / 1000}))`,
  );
  if (row === undefined) throw new InternalError("event_log_keep_partitions returned no row");
  return row;
}

/** An untyped event. Services publish typed ones, see publish.ts. */
export interface NewEvent {
  /** The full name, `exchange/taskcluster-<service>/<version>/<exchange>`. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Task routes or similar. Each is an additional routing key `route.<route>`. */
  readonly routes?: readonly string[];
  /** The message as JSON text. */
  readonly payload: string;
}

/** Inserts events in their order, in one statement. */
export async function appendEvents(db: Queryable, events: readonly NewEvent[]): Promise<void> {
  // Lists of different lengths cannot be one array of SQL, so each is passed as JSON.
  await db.run(
    logEvents(sql`
    select n.exchange, n.routing_key, array(select json_array_elements_text(n.cc::json)), n.payload
    from unnest(
      ${events.map((e) => e.exchange)}::text[], ${events.map((e) => e.routingKey)}::text[],
      ${events.map((e) => JSON.stringify(e.routes ?? []))}::text[], ${events.map((e) => e.payload)}::text[]
    ) with ordinality as n (exchange, routing_key, cc, payload, ord)
    order by n.ord`),
  );
}
