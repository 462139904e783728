// Keyset pagination: a continuation token holds the last element's key, so rows may be added and removed between pages.
import { ApiError } from "../../lib/errors.ts";
import { sql, type Sql } from "./sql.ts";

/** Selects a page of a list: the one after the page that contained the token, or the first. */
export interface PageQuery {
  readonly continuationToken?: string;
  readonly limit?: string | number;
}

/** The requested page: up to `limit` elements after the key `after`, which is empty for the first page. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** Matches ids and names, the usual keys. Excludes NUL, which PostgreSQL rejects with its own error. */
const printable = /^[\x20-\x7e]*$/;

/**
 * Reads `continuationToken` and `limit` from a query. The limit is `max` if absent or larger. `key` is the pattern of
 * valid keys: a forged token must not reach a statement that cannot parse it.
 */
export function decodePage(query: PageQuery, max: number, key: RegExp = printable): Page {
  const limit = query.limit === undefined ? max : Math.min(Number(query.limit), max);
  if (limit < 1)
    throw new ApiError("InvalidRequestArguments", "Query-string parameter: limit must be at least 1.");
  return {
    after: query.continuationToken === undefined ? "" : decodeToken(query.continuationToken, key),
    limit,
  };
}

/** Returns the continuation token of a page that ends with the element `key`. */
export const encodePage = (key: string): string => Buffer.from(JSON.stringify([key])).toString("base64url");

/**
 * Returns one page of the rows read. The query requests one row more than the page holds; if that row exists, `more`
 * has the token of the next page.
 */
export function pageOf<R>(
  read: readonly R[],
  limit: number,
  key: (row: R) => string,
): { readonly rows: readonly R[]; readonly more: { readonly continuationToken?: string } } {
  const rows = read.slice(0, limit);
  const last = rows.at(-1);
  const isLast = read.length <= limit || last === undefined;
  return { rows, more: isLast ? {} : { continuationToken: encodePage(key(last)) } };
}

/**
 * The bytes of definitions, statuses and the like on one page. A page ends early when it has so many: a thousand definitions
 * may be a gigabyte, which neither server nor client can hold.
 */
export const PAGE_BYTES = 8 * 2 ** 20;

/**
 * Selects `text`, or null if the rows before it (in the order of `order`) already have `room` bytes. `bytes` is the size of
 * `text`, known without reading it: octet_length does not fetch a value that is stored out of line.
 */
export const unlessFull = (text: Sql, bytes: Sql, order: Sql, room: number = PAGE_BYTES): Sql => sql`
  case when coalesce(sum(${bytes}) over (order by ${order} rows between unbounded preceding and 1 preceding), 0) < ${room}
    then ${text} end`;

/** A row with its text. */
type WithText<R, M extends keyof R> = R & { readonly [K in M]: NonNullable<R[K]> };

/** Does the same as `pageOf` for rows whose `member` was selected by `unlessFull`. */
export function fullPageOf<R, M extends keyof R>(
  read: readonly R[],
  limit: number,
  member: M,
  key: (row: R) => string,
): { readonly rows: readonly WithText<R, M>[]; readonly more: { readonly continuationToken?: string } } {
  const full = read.findIndex((row) => row[member] === null);
  const { rows, more } = pageOf(read, full < 0 ? limit : Math.min(full, limit), key);
  // The page ends before the first row without its text.
  return { rows: rows as readonly WithText<R, M>[], more };
}

function decodeToken(token: string, pattern: RegExp): string {
  try {
    const [key] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof key === "string" && pattern.test(key)) return key;
  } catch {
    // Not one of our tokens: reported below.
  }
  throw new ApiError(
    "InputError",
    "Invalid continuation token: send the continuationToken of the previous page unchanged, or none for the first page.",
  );
}
