// The loop that removes deleted pools, and earlier providers of others, once their last worker is gone.
import { inBatches } from "../../../core/in-batches.ts";
import type { RunOnce } from "../../../core/loop.ts";
import type { WorkerManagerContext } from "../context.ts";
import { forgetProviders, removeDeletedPools } from "./store/pools.ts";

const BATCH_SIZE = 100;

export const cleanUpPools = ({ db }: Pick<WorkerManagerContext, "db">): RunOnce =>
  inBatches(
    BATCH_SIZE,
    (limit) => removeDeletedPools(db, limit),
    (limit) => forgetProviders(db, limit),
  );
