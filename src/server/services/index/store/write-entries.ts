// Writes index entries, and the namespaces above them.
import type { Queryable } from "../../../core/db.ts";
import { jsonOf } from "../../../core/json.ts";
import { sql } from "../../../core/sql.ts";
import { namespacesAbove, placeOf } from "../index-path.ts";
import { EntryRow, entryColumns } from "./entries.ts";

export interface NewEntry {
  readonly path: string;
  readonly taskId: string;
  readonly rank: number;
  readonly data: object;
  /** In milliseconds since the epoch. */
  readonly expires: number;
}

const DAY_MS = 86_400_000;
/** The last time that can be stored. */
const LAST_TIME = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Writes entries of different paths and returns what is stored there now: an existing entry of a higher rank stays.
 *
 * Many calls insert into the same namespaces at the same time. A namespace expires at a midnight, so only the first insert
 * of a day extends it, and the others must not even lock its row: `on conflict` would lock it, so namespaces that last
 * long enough are left out before. All rows are locked in the order of their keys, so that two calls cannot wait for each
 * other.
 */
export async function writeEntries(db: Queryable, entries: readonly NewEntry[]): Promise<EntryRow[]> {
  const tasks = entries.map((entry) => ({ ...entry, ...placeOf(entry.path) }));
  const namespaces = namespacesOf(entries);
  return db.many(
    EntryRow,
    sql`
    with extended as (
      insert into index_namespaces as n (parent, name, expires)
      select w.parent, w.name, w.expires
      from unnest(${namespaces.map((w) => w.namespace)}::text[], ${namespaces.map((w) => w.name)}::text[],
        ${namespaces.map((w) => timestamp(w.expires))}::timestamptz[]) w (parent, name, expires)
      where not exists (
        select from index_namespaces n
        where n.parent = w.parent collate "C" and n.name = w.name collate "C" and n.expires >= w.expires)
      order by w.parent collate "C", w.name collate "C"
      on conflict (parent, name) do update set expires = excluded.expires where n.expires < excluded.expires
    )
    insert into index_tasks as t (namespace, name, task_id, rank, data, expires)
    select w.namespace, w.name, w.task_id, w.rank, w.data, w.expires
    from unnest(${tasks.map((w) => w.namespace)}::text[], ${tasks.map((w) => w.name)}::text[],
      ${tasks.map((w) => w.taskId)}::text[], ${tasks.map((w) => w.rank)}::float8[],
      ${tasks.map((w) => jsonOf(w.data))}::text[], ${tasks.map((w) => timestamp(w.expires))}::timestamptz[]) w
      (namespace, name, task_id, rank, data, expires)
    order by w.namespace collate "C", w.name collate "C"
    -- Updates a row that stays too, since only changed rows are returned.
    on conflict (namespace, name) do update set
      task_id = case when t.rank <= excluded.rank then excluded.task_id else t.task_id end,
      data = case when t.rank <= excluded.rank then excluded.data else t.data end,
      expires = case when t.rank <= excluded.rank then excluded.expires else t.expires end,
      rank = greatest(t.rank, excluded.rank)
    returning ${entryColumns}, t.data`,
  );
}

/** Returns the namespaces above the entries, each once, with the midnight after the last expiry of what is in it. */
function namespacesOf(entries: readonly NewEntry[]) {
  const expiry = new Map<string, number>();
  for (const { path, expires } of entries) {
    const midnight = Math.min((Math.floor(expires / DAY_MS) + 1) * DAY_MS, LAST_TIME);
    for (const namespace of namespacesAbove(path))
      expiry.set(namespace, Math.max(expiry.get(namespace) ?? -Infinity, midnight));
  }
  return [...expiry].map(([path, expires]) => ({ ...placeOf(path), expires }));
}

const timestamp = (ms: number): string => new Date(ms).toISOString();
