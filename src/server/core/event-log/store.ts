// The statements of the event log. What makes reading right is argued here, once.
//
// Transactions commit in another order than they draw ids in, so "ids after the last one I saw" loses events. A
// reader instead delivers, sorted by id, what one snapshot of the database sees and an earlier one does not; then
// the next pair. Snapshots follow the order of commits: nothing is skipped, nothing comes twice, what waited for a
// row lock comes after what it waited for (in a later window, or in the same one with a larger id), and a
// transaction that stays open for an hour delays its own events and nobody else's.
//
// A snapshot is remembered as a Mark, "ids up to lastId, except those of the transactions inFlight". That is the
// same thing because `hereCte` looks in this order:
//
// 1. the snapshot S of the statement, with its list of transactions in progress and its xmax;
// 2. lastId, the last id that anybody drew. Whatever S sees was drawn before S, so it has an id up to lastId;
// 3. next, the next transaction id that will be assigned. Who drew an id up to lastId had its transaction id
//    before that (the default of events.id sees to it), so that is below next.
//
// So among ids up to lastId, S does not see exactly those of transactions in its list or from xmax to next:
// together, inFlight. xmax alone would not do: it is one past the last transaction that *ended*, and a younger one may
// have drawn ids already. Nor would the ids of inFlight alone: one transaction can draw ids on both sides of lastId.
import Type, { type Static } from "typebox";
import { Timestamp, type Db, type Queryable } from "../db.ts";
import { sql, type Sql } from "../sql.ts";
import { logEvents } from "./log-events.ts";
import type { Mark, Position } from "./position.ts";

const Row = Type.Object({
  kind: Type.Unsafe<"here" | "event">({ enum: ["here", "event"] }),
  id: Type.Integer(),
  exchange: Type.String(),
  routing_key: Type.String(),
  cc: Type.Array(Type.String()),
  /** Of an event, its message; of `here`, HereFacts as JSON. */
  payload: Type.String(),
  recorded: Timestamp,
});
export type EventRow = Static<typeof Row>;

/** The log at the moment of a statement. */
export interface Here {
  readonly log: number;
  /** The mark of everything that is visible. */
  readonly mark: Mark;
  /** How many transaction ids were assigned after the last transaction that ended. */
  readonly ahead: number;
  /** The largest id that retention has dropped. */
  readonly droppedThrough: number;
}

interface HereFacts {
  log: number;
  epoch: number;
  snapshot: string;
  ahead: number;
  droppedThrough: number;
}

// `materialized` makes the sequence be read once; `case` makes age() wait for it, as an argument is evaluated
// before its call. age() of the snapshot's xmax counts up to the next id that will be assigned. It remembers
// that id for the rest of its transaction, and so do later snapshots in REPEATABLE READ: these statements must
// not share a transaction, which is why they ask for a Db and not for a Queryable.
const hereCte: Sql = sql`
  drawn as materialized (
    select case when is_called then last_value else last_value - 1 end as last_id from events_id_seq
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
 * Up to `limit` events after `position`, by id, and where the log stood at that moment. A position without a
 * window reads up to that moment. Run it in no transaction of yours (see above).
 *
 * The events of a window are those of `done.inFlight` with ids up to `done.lastId`, and all with larger ids. The
 * first are found transaction by transaction through the index on (xid, id): as a comparison of rows, since with
 * `xid = … and id > …` the planner took the index on id alone and walked past everything else, 40 s instead of 1 ms.
 */
export async function readPage(
  db: Db,
  { done, window }: Position,
  limit: number,
): Promise<{ here: Here; events: EventRow[] }> {
  const cursor = window?.cursor ?? 0;
  const until = window?.until ?? null;
  const late = cursor < done.lastId ? done.inFlight : [];
  const visible = sql`e.id <= coalesce(${until?.lastId}::bigint, 9223372036854775807)
      and not (e.epoch = coalesce(${until?.epoch}::integer, 0) and e.xid = any (${until?.inFlight ?? []}::xid8[]))`;
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
  // What order the two halves come in is for the database to choose.
  const events = rows.filter((row) => row.kind === "event").sort((a, b) => a.id - b.id);
  return { here: hereOf(rows), events };
}

/** Where the log stands now. Run it in no transaction of yours. */
export async function readHere(db: Db): Promise<Here> {
  return hereOf(await db.many(Row, sql`with ${hereCte} ${hereRow}`));
}

/**
 * Where the log stands, and in `firstId` the smallest id among the events recorded at `time` or later, or null.
 * It walks along the ids of the day of `time`: about a second for five million events.
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
  if (row === undefined) throw new Error("event_log has no row: was it deleted by hand?");
  // Built by hereRow, right above.
  const { log, epoch, snapshot, ahead, droppedThrough } = JSON.parse(row.payload) as HereFacts;
  const [, xmax = "", inProgress = ""] = snapshot.split(":");
  const inFlight = inProgress === "" ? [] : inProgress.split(",").map(Number);
  for (let xid = Number(xmax), last = xid + ahead; xid < last; xid++) inFlight.push(xid);
  return { log, mark: { epoch, lastId: row.id, inFlight }, ahead, droppedThrough };
}

/** Takes a transaction id and gives it up, so that whatever was assigned before it is below a later xmax. */
export async function spendTransactionId(db: Db): Promise<void> {
  await db.run(sql`select pg_current_xact_id()`);
}

const EpochRow = Type.Object({ epoch: Type.Integer(), base_id: Type.Integer() });

/** The epochs of the log; events with ids up to `base_id` belong to earlier ones. */
export function listEpochs(db: Queryable): Promise<Static<typeof EpochRow>[]> {
  return db.many(EpochRow, sql`select epoch, base_id from event_epochs order by epoch`);
}

const DroppedRow = Type.Object({ dropped_before: Type.Union([Timestamp, Type.Null()]) });

/** The time before which retention has dropped events, or null where it has dropped none. */
export async function readDroppedBefore(db: Queryable): Promise<Date | null> {
  return (await db.maybeOne(DroppedRow, sql`select dropped_before from event_log`))?.dropped_before ?? null;
}

const OpenRow = Type.Object({ epoch: Type.Integer() });

/** Begins a new epoch where the database has moved to another cluster. */
export async function openEpoch(db: Queryable): Promise<number> {
  const row = await db.maybeOne(OpenRow, sql`select event_log_open() as epoch`);
  if (row === undefined) throw new Error("event_log_open answered nothing");
  return row.epoch;
}

const PartitionsRow = Type.Object({
  made: Type.Array(Type.String()),
  dropped: Type.Array(Type.String()),
  postponed: Type.Array(Type.String()),
});

/** Makes the partitions of today and the days ahead, and drops those past retention. `now`: default the database's. */
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
  if (row === undefined) throw new Error("event_log_keep_partitions answered nothing");
  return row;
}

/** An event that a service publishes outside of a larger statement. */
export interface NewEvent {
  /** The full name, `exchange/taskcluster-<service>/<version>/<exchange>`. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Task routes and the like; consumers see each as a further routing key `route.<route>`. */
  readonly routes?: readonly string[];
  /** The message as JSON text. */
  readonly payload: string;
}

/** Writes events in their order, in one statement. */
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
