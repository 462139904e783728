// Pages of lists in the order of creation, newest first, with a limit on the rows and bytes that one call examines.
import { ApiError } from "../../../../lib/errors.ts";
import { parseJson, type Json } from "../../../core/json.ts";
import { decodePage, encodePage, PAGE_BYTES, type PageQuery } from "../../../core/pagination.ts";

/** The rows that one call examines at most if there is a filter. Those of 2 kB take some ten milliseconds. */
const MAX_EXAMINED = 2_000;
/** The rows that one statement examines if there is a filter. */
const BATCH = 250;
const MAX_LIMIT = 1_000;
/** The time in milliseconds since the epoch, and the id, since several may be created together. */
const KEY = /^\d{1,13}\/[A-Za-z0-9_-]{22}$/;

/** The part of the list that a statement reads: rows before `created` and `id` in time, down to `since`. */
export interface TimeRange {
  readonly since: string;
  readonly created: string;
  readonly id: string;
}

export interface ListQuery extends PageQuery {
  readonly name?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface ListRow {
  readonly id: string;
  readonly created: Date;
  /** Whether the other filters apply. The name of a row that does not match is not read. */
  readonly matches: boolean;
  /** The bytes of the definition that was read for the name. */
  readonly bytes: number;
  /** Null if the page is full before this row. */
  readonly name: Json<string> | null;
}

type Named<R> = Omit<R, "name"> & { readonly name: string };

/**
 * Returns the next page of rows that match the query. `read` returns the first `count` rows of a range, the newest first,
 * with the names of those that match, up to `room` bytes of definitions.
 */
export async function newestFirst<R extends ListRow>(
  query: ListQuery,
  isFiltered: boolean,
  read: (range: TimeRange, count: number, room: number) => Promise<readonly R[]>,
): Promise<{ readonly rows: readonly Named<R>[]; readonly more: { readonly continuationToken?: string } }> {
  const { after, limit } = decodePage(query, MAX_LIMIT, KEY);
  const since = timeOf("since", query.since) ?? "-infinity";
  const name = query.name?.toLowerCase();
  const rows: Named<R>[] = [];
  let range = { since, ...startOf(after, query.until) };
  let room = PAGE_BYTES;
  const page = (isEnd: boolean) => ({
    rows,
    more: isEnd ? {} : { continuationToken: encodePage(`${new Date(range.created).getTime()}/${range.id}`) },
  });
  for (let examined = 0; ; examined += BATCH) {
    if (examined >= MAX_EXAMINED || room <= 0) return page(false);
    // One more than the page shows whether there is another.
    const count = name === undefined && !isFiltered ? limit + 1 : BATCH;
    const batch = await read(range, count, room);
    for (const [i, row] of batch.entries()) {
      if (row.name === null) return page(false);
      range = { since, created: row.created.toISOString(), id: row.id };
      room -= row.bytes;
      const rowName = parseJson(row.name);
      if (row.matches && (name === undefined || rowName.toLowerCase().includes(name)))
        rows.push({ ...row, name: rowName });
      if (rows.length === limit) return page(i === batch.length - 1 && batch.length < count);
    }
    if (batch.length < count) return page(true);
  }
}

/** Returns the key before which the list begins or goes on. */
function startOf(after: string, until: string | undefined): Pick<TimeRange, "created" | "id"> {
  const end = { created: timeOf("until", until) ?? "infinity", id: "" };
  if (after === "") return end;
  const [ms = "", id = ""] = after.split("/");
  return { created: new Date(Number(ms)).toISOString(), id };
}

/** Returns a time of the query as the database reads it. */
function timeOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  // JavaScript reads February 30 as March 2, and PostgreSQL has no year 0.
  const isTime = !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 19) === text.slice(0, 19);
  if (isTime && !text.startsWith("0000")) return at.toISOString();
  throw new ApiError(
    "InvalidRequestArguments",
    `Query-string parameter: ${name} given as '${text}' is not a time: use one such as 2026-01-31T12:00:00.000Z.`,
  );
}
