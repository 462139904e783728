// Parses the options that limit the length of a list.
import { UsageError } from "./cli-error.ts";

/** Returns the maximum number of rows. Default: 50. */
export function parseLimit(word: string | undefined): number {
  const limit = Number(word ?? 50);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new UsageError(`--limit ${word ?? ""}: must be a whole number, at least 1`);
}
