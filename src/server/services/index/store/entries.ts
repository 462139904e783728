// The SQL statements that read and delete index entries and namespaces.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { jsonText } from "../../../core/json.ts";
import { unlessFull } from "../../../core/pagination.ts";
import { sql, type Sql } from "../../../core/sql.ts";
import type { Place } from "../index-path.ts";

const entry = {
  namespace: Type.String(),
  name: Type.String(),
  task_id: Type.String(),
  rank: Type.Number(),
  expires: Timestamp,
};

export const EntryRow = Type.Object({ ...entry, data: jsonText<object>() });
export type EntryRow = Static<typeof EntryRow>;

/** An entry of a list. `data` is null if the page is full before it. */
const ListedRow = Type.Object({ ...entry, data: Type.Union([jsonText<object>(), Type.Null()]) });
export type ListedRow = Static<typeof ListedRow>;

export const entryColumns = sql`t.namespace, t.name, t.task_id, t.rank, t.expires`;

/** Returns the entry at a place, unless it expired at `now`. */
export const readEntry = (
  db: Queryable,
  { namespace, name }: Place,
  now: string,
): Promise<EntryRow | undefined> =>
  db.maybeOne(
    EntryRow,
    sql`
    select ${entryColumns}, t.data from index_tasks t
    where t.namespace = ${namespace} and t.name = ${name} and t.expires > ${now}::timestamptz`,
  );

const dataUnlessFull = (order: Sql, room?: number): Sql =>
  unlessFull(sql`t.data`, sql`octet_length(t.data)`, order, room);

/** Returns entries of a namespace after the name `after` that expire after `now`, by name. */
export const listEntries = (
  db: Queryable,
  namespace: string,
  now: string,
  after: string,
  limit: number,
): Promise<ListedRow[]> =>
  db.many(
    ListedRow,
    sql`
    select ${entryColumns}, ${dataUnlessFull(sql`t.name`)} as data
    from (
      select * from index_tasks
      where namespace = ${namespace} and name > ${after} and expires > ${now}::timestamptz
      order by name limit ${limit}
    ) t order by t.name`,
  );

/** Returns the first `limit` of the entries at some places, up to `room` bytes of data, whether or not they have expired. */
export const readEntries = (
  db: Queryable,
  places: readonly Place[],
  limit: number,
  room: number,
): Promise<ListedRow[]> =>
  db.many(
    ListedRow,
    sql`
    select ${entryColumns}, ${dataUnlessFull(sql`t.namespace, t.name`, room)} as data
    from (
      select t.* from unnest(${places.map((at) => at.namespace)}::text[], ${places.map((at) => at.name)}::text[]) p
        (namespace, name)
      join index_tasks t on t.namespace = p.namespace collate "C" and t.name = p.name collate "C"
      order by t.namespace, t.name limit ${limit}
    ) t order by t.namespace, t.name`,
  );

const NamespaceRow = Type.Object({ name: Type.String(), expires: Timestamp });

/** Returns namespaces directly below `parent` after the name `after` that expire after `now`, by name. */
export const listNamespaces = (
  db: Queryable,
  parent: string,
  now: string,
  after: string,
  limit: number,
): Promise<Static<typeof NamespaceRow>[]> =>
  db.many(
    NamespaceRow,
    sql`
    select name, expires from index_namespaces
    where parent = ${parent} and name > ${after} and expires > ${now}::timestamptz order by name limit ${limit}`,
  );

/** Deletes the entry at a place, if there is one. */
export const deleteEntry = (db: Queryable, { namespace, name }: Place): Promise<number> =>
  db.run(sql`delete from index_tasks where namespace = ${namespace} and name = ${name}`);

/** Deletes up to `limit` entries that expired. Returns their number. */
export const deleteExpiredEntries = (db: Queryable, now: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select namespace, name from index_tasks where expires <= ${now}::timestamptz
      order by expires limit ${limit} for update skip locked)
    delete from index_tasks t using expired e where t.namespace = e.namespace and t.name = e.name`);

/** Deletes up to `limit` namespaces that expired. Returns their number. */
export const deleteExpiredNamespaces = (db: Queryable, now: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select parent, name from index_namespaces where expires <= ${now}::timestamptz
      order by expires limit ${limit} for update skip locked)
    delete from index_namespaces n using expired e where n.parent = e.parent and n.name = e.name`);
