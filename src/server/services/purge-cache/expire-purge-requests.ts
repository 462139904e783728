// The loop that removes purge requests older than a day. No worker keeps a cache that long without a look at them.
import type { Clock } from "../../../lib/clock.ts";
import type { Db } from "../../core/db.ts";
import { inBatches } from "../../core/in-batches.ts";
import type { RunOnce } from "../../core/loop.ts";
import { timestamp } from "../../core/timestamp.ts";
import { deleteExpired } from "./store.ts";

const BATCH_SIZE = 1000;

export const expirePurgeRequests = (ctx: { readonly db: Db; readonly clock: Clock }): RunOnce =>
  inBatches(BATCH_SIZE, (limit) => deleteExpired(ctx.db, timestamp(ctx), limit));
