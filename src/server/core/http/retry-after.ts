// Decides the Retry-After of replies that refuse a call for now.
import type { ApiError } from "../../../lib/errors.ts";

/** If nothing is known about the wait. */
const DEFAULT_MS = 1_000;
/** Clients wait no longer anyway, and an estimate beyond it is a guess. */
export const MAX_RETRY_AFTER_MS = 30_000;

/** Returns the value of the header in seconds, from 1 to 30, for a 429 or 503, and undefined for other errors. */
export function retryAfter({
  statusCode,
  retryAfterMs = DEFAULT_MS,
}: Pick<ApiError, "statusCode" | "retryAfterMs">): string | undefined {
  if (statusCode !== 429 && statusCode !== 503) return undefined;
  return String(Math.max(1, Math.ceil(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) / 1000)));
}
