// The loops that stop workers which have fallen silent, and delete expired ones.
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { recordStopped, type RecordContext } from "../records.ts";
import { stopSilentWorkers } from "./store/stop-workers.ts";
import { deleteExpiredWorkers } from "./store/workers.ts";

const BATCH_SIZE = 200;
type Context = Pick<WorkerManagerContext, "db" | "clock" | "config">;

export const stopSilent = (ctx: Context & RecordContext): RunOnce =>
  inBatches(BATCH_SIZE, async (limit) => {
    const stop = { at: timestamp(ctx), forgetAt: timestamp(ctx, ctx.config.stoppedRetention) };
    const stopped = await stopSilentWorkers(ctx.db, stop, limit);
    recordStopped(ctx, stopped);
    return stopped.length;
  });

export const expireWorkers = (ctx: Context): RunOnce =>
  inBatches(BATCH_SIZE, (limit) => deleteExpiredWorkers(ctx.db, timestamp(ctx), limit));
