// The loops that stop workers which have fallen silent, and delete expired ones.
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp, type WorkerManagerContext } from "../context.ts";
import { stopSilentWorkers } from "./store/stop-workers.ts";
import { deleteExpiredWorkers } from "./store/workers.ts";

const BATCH_SIZE = 200;
type Context = Pick<WorkerManagerContext, "db" | "clock" | "config">;

export const stopSilent =
  (ctx: Context): RunOnce =>
  async () => {
    const stop = { at: timestamp(ctx), forgetAt: timestamp(ctx, ctx.config.stoppedRetention) };
    return { more: (await stopSilentWorkers(ctx.db, stop, BATCH_SIZE)) === BATCH_SIZE };
  };

export const expireWorkers =
  (ctx: Context): RunOnce =>
  async () => ({
    more: (await deleteExpiredWorkers(ctx.db, timestamp(ctx), BATCH_SIZE)) === BATCH_SIZE,
  });
