// The form of an intended difference from Taskcluster.
import type { Json } from "./normalize.ts";

export interface IntendedDifference {
  /** The name in the comparison: `queue claimWork input schema/properties/claimId`. */
  readonly where: string;
  /** `missing`: only they have it. `added`: only we have it. Otherwise our value, which differs from theirs. */
  readonly is: "missing" | "added" | { readonly ours: Json };
  readonly reason: string;
}
