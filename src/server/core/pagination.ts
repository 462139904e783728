// Keyset pagination: a continuation token holds the last element's key, so rows may be added and removed between pages.
import { ApiError } from "../../lib/errors.ts";

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
