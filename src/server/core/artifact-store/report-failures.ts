// Reports content that a store could not delete.
import type { Monitor } from "../monitor.ts";
import type { DeleteFailure, StoreKey } from "./index.ts";

/** Reports each error once, with its first key and the number of keys: an unavailable store fails for a whole batch. */
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
