// Failures of background work that are unrelated to the work: something that it needs is down, and will be back.
import { ApiError } from "../../lib/errors.ts";
import type { Monitor, Tags } from "./monitor.ts";

/** Reports whether the error is an outage of a dependency, such as the database. Repeating makes sense without limit. */
export const isUnavailable = (err: unknown): boolean =>
  err instanceof ApiError && err.code === "ServiceUnavailable";

/**
 * Reports the failure of background work that is going to be repeated. An outage is a warning: an incident for each loop
 * and each try would say nothing that the log of the database does not.
 */
export function reportFailure(monitor: Monitor, err: unknown, tags: Tags): void {
  if (isUnavailable(err)) monitor.log.warn({ ...tags, err }, "interrupted by an outage; retrying");
  else monitor.reportError(err, tags);
}
