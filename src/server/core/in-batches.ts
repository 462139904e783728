// Loops that remove old rows in batches.
import type { RunOnce } from "./loop.ts";

/**
 * Returns an iteration that calls each function, one after the other, with the size of a batch. They return how many rows they
 * found: if one has found a whole batch, more may be left.
 */
export const inBatches =
  (size: number, ...removals: readonly ((limit: number) => Promise<number>)[]): RunOnce =>
  async () => {
    let more = false;
    for (const remove of removals) if ((await remove(size)) === size) more = true;
    return { more };
  };
