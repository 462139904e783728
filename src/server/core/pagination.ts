// Pages of lists: opaque tokens that hold the last element's key, so that rows may come and go between pages.
import { ApiError } from "../../lib/errors.ts";

/** What a list is asked for: elements after this key (empty: from the start), at most so many. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** Keys are ids and names as a rule; PostgreSQL would refuse NUL with an error of its own. */
const printable = /^[\x20-\x7e]*$/;

/**
 * Reads `continuationToken` and `limit` of a query; without a limit, or above it, the page is `max` long. `key` is the
 * form of keys: a token that was made up must not reach a statement that cannot read it.
 */
export function decodePage(
  query: { continuationToken?: string; limit?: string },
  max: number,
  key: RegExp = printable,
): Page {
  const limit = query.limit === undefined ? max : Math.min(Number(query.limit), max);
  if (limit < 1)
    throw new ApiError("InvalidRequestArguments", "Query-string parameter: limit must be at least 1.");
  return {
    after: query.continuationToken === undefined ? "" : decodeToken(query.continuationToken, key),
    limit,
  };
}

/** The token of a page that ends with the element `key`. */
export const encodePage = (key: string): string => Buffer.from(JSON.stringify([key])).toString("base64url");

/**
 * A page out of what was read: one row more than the page has was asked for, which tells whether there is another.
 * `more` has the token of that, if so.
 */
export function pageOf<R>(
  found: readonly R[],
  limit: number,
  key: (row: R) => string,
): { readonly rows: readonly R[]; readonly more: { readonly continuationToken?: string } } {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const isLast = found.length <= limit || last === undefined;
  return { rows, more: isLast ? {} : { continuationToken: encodePage(key(last)) } };
}

function decodeToken(token: string, pattern: RegExp): string {
  try {
    const [key] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof key === "string" && pattern.test(key)) return key;
  } catch {
    // Falls through to the one message: the token is not one of ours.
  }
  throw new ApiError(
    "InputError",
    "Invalid continuation token: send the continuationToken of the page before, as it came, or none for the first page.",
  );
}
