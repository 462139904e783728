// Removes purge requests older than a day. No worker keeps a cache that long without a look at them.
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../../core/db.ts";
import { deleteExpired } from "./store.ts";

const BATCH = 1000;

/** Returns the loop's iteration. */
export const expirePurgeRequests =
  ({ db, clock }: { readonly db: Db; readonly clock: Clock }) =>
  async (): Promise<{ more: boolean }> => ({
    more: (await deleteExpired(db, new Date(clock.now()).toISOString(), BATCH)) === BATCH,
  });
