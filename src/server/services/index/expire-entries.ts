// Removes entries and namespaces that have expired.
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../../core/db.ts";
import { deleteExpiredEntries, deleteExpiredNamespaces } from "./store/entries.ts";

const BATCH = 1000;

/** Returns the loop's iteration. */
export const expireEntries =
  ({ db, clock }: { readonly db: Db; readonly clock: Clock }) =>
  async (): Promise<{ more: boolean }> => {
    const now = new Date(clock.now()).toISOString();
    const entries = await deleteExpiredEntries(db, now, BATCH);
    const namespaces = await deleteExpiredNamespaces(db, now, BATCH);
    return { more: entries === BATCH || namespaces === BATCH };
  };
