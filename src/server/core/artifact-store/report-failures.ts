// Tells those who run the server what a store did not delete.
import type { Monitor } from "../monitor.ts";
import type { DeleteFailure, StoreKey } from "./index.ts";

/** One report for each error, with the first key that it kept: a store that is away fails for all of a batch at once. */
export function reportFailures(
  monitor: Pick<Monitor, "reportError">,
  failures: readonly DeleteFailure<StoreKey>[],
): void {
  const counts = new Map<unknown, number>();
  for (const { error } of failures) counts.set(error, (counts.get(error) ?? 0) + 1);
  for (const { key, error } of failures) {
    const count = counts.get(error);
    if (count !== undefined) monitor.reportError(error, { ...key, notDeleted: count });
    counts.delete(error);
  }
}
