// The loop that removes old errors of worker pools.
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { deleteErrors } from "./store.ts";

const BATCH_SIZE = 500;

export const expireErrors = (ctx: Pick<WorkerManagerContext, "db" | "clock" | "config">): RunOnce =>
  inBatches(BATCH_SIZE, (limit) => deleteErrors(ctx.db, timestamp(ctx, -ctx.config.errorRetention), limit));
