// A loop that deletes expired clients that were created with `deleteOnExpiration`.
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { AuthContext } from "../context.ts";
import { deleteExpired } from "./store/delete-expired.ts";

const BATCH = 100;

/** The name in the audit log, which no client can have. */
const ACTOR = "(expiry)";

export const deleteExpiredClients = (ctx: Pick<AuthContext, "db" | "clock">): RunOnce =>
  inBatches(BATCH, (limit) => deleteExpired(ctx.db, timestamp(ctx), limit, ACTOR));
