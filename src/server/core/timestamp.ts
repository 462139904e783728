// The current time in the form of SQL parameters and replies.
import type { Clock } from "../../lib/clock.ts";

/** Returns the current time, or one `offsetMs` later, as ISO text. */
export const timestamp = ({ clock }: { readonly clock: Clock }, offsetMs = 0): string =>
  new Date(clock.now() + offsetMs).toISOString();
