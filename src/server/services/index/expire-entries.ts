// The loop that removes entries and namespaces that have expired.
import { inBatches } from "../../core/in-batches.ts";
import type { RunOnce } from "../../core/loop.ts";
import { timestamp } from "../../core/timestamp.ts";
import type { IndexContext } from "./context.ts";
import { deleteExpiredEntries, deleteExpiredNamespaces } from "./store/entries.ts";

const BATCH_SIZE = 1000;

export const expireEntries = (ctx: Pick<IndexContext, "db" | "clock">): RunOnce =>
  inBatches(
    BATCH_SIZE,
    (limit) => deleteExpiredEntries(ctx.db, timestamp(ctx), limit),
    (limit) => deleteExpiredNamespaces(ctx.db, timestamp(ctx), limit),
  );
