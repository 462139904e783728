// The loop that removes deleted pools, and earlier providers of others, once their last worker is gone.
import type { RunOnce } from "../../../core/loop.ts";
import type { WorkerManagerContext } from "../context.ts";
import { forgetProviders, removeDeletedPools } from "./store/pools.ts";

const BATCH_SIZE = 100;

export const cleanUpPools =
  ({ db }: Pick<WorkerManagerContext, "db">): RunOnce =>
  async () => {
    const removed = await removeDeletedPools(db, BATCH_SIZE);
    const changed = await forgetProviders(db, BATCH_SIZE);
    return { more: removed === BATCH_SIZE || changed === BATCH_SIZE };
  };
