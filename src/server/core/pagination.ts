// Pages of lists: opaque tokens that hold the last element's key, so that rows may come and go between pages.
import { ApiError } from "../../lib/errors.ts";

/** What a list is asked for: elements after this key (empty: from the start), at most so many. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

/** Reads `continuationToken` and `limit` of a query; without a limit, or above it, the page is `max` long. */
export function decodePage(query: { continuationToken?: string; limit?: string }, max: number): Page {
  const limit = query.limit === undefined ? max : Math.min(Number(query.limit), max);
  if (limit < 1)
    throw new ApiError("InvalidRequestArguments", "Query-string parameter: limit must be at least 1.");
  return { after: query.continuationToken === undefined ? "" : decodeToken(query.continuationToken), limit };
}

/** The token of a page that ends with the element `key`. */
export const encodePage = (key: string): string => Buffer.from(JSON.stringify([key])).toString("base64url");

function decodeToken(token: string): string {
  try {
    const [key] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    // Keys are ids and names; PostgreSQL would refuse NUL with an error of its own.
    if (typeof key === "string" && /^[\x20-\x7e]*$/.test(key)) return key;
  } catch {
    // Falls through to the one message: the token is not one of ours.
  }
  throw new ApiError(
    "InputError",
    "Invalid continuation token: send the continuationToken of the page before, as it came, or none for the first page.",
  );
}
