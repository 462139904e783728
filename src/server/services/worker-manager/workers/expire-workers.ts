// The loops that stop workers which have fallen silent, and delete expired ones.
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { stopSilentWorkers } from "./store/stop-workers.ts";
import { deleteExpiredWorkers } from "./store/workers.ts";

const BATCH_SIZE = 200;
type Context = Pick<WorkerManagerContext, "db" | "clock" | "config">;

export const stopSilent = (ctx: Context): RunOnce =>
  inBatches(BATCH_SIZE, (limit) =>
    stopSilentWorkers(
      ctx.db,
      { at: timestamp(ctx), forgetAt: timestamp(ctx, ctx.config.stoppedRetention) },
      limit,
    ),
  );

export const expireWorkers = (ctx: Context): RunOnce =>
  inBatches(BATCH_SIZE, (limit) => deleteExpiredWorkers(ctx.db, timestamp(ctx), limit));
