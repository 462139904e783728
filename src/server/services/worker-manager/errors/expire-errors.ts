// The loop that removes old errors of worker pools.
import type { RunOnce } from "../../../core/loop.ts";
import { timestamp, type WorkerManagerContext } from "../context.ts";
import { deleteErrors } from "./store.ts";

const BATCH_SIZE = 500;

export const expireErrors =
  (ctx: Pick<WorkerManagerContext, "db" | "clock" | "config">): RunOnce =>
  async () => {
    const cutoff = timestamp(ctx, -ctx.config.errorRetention);
    return { more: (await deleteErrors(ctx.db, cutoff, BATCH_SIZE)) === BATCH_SIZE };
  };
