// Calls of one kind that come at the same time share a statement: what all kinds of the queue have in common.
import { coalesce, type Coalesced, type CoalesceOptions } from "../../core/coalesce.ts";
import { DatabaseUnavailable, isRetryable } from "../../core/db-errors.ts";
import type { QueueContext } from "./context.ts";

type Own<I, O> = Pick<CoalesceOptions<I, O>, "name" | "run"> & Partial<CoalesceOptions<I, O>>;

/**
 * Coalesces calls. A batch that lost a deadlock runs again; one that fails otherwise is taken apart, so that a bad row
 * harms none of its neighbours; without a database all of it fails at once.
 */
export const batched = <I, O>(ctx: Pick<QueueContext, "monitor">, own: Own<I, O>): Coalesced<I, O> =>
  coalesce({
    maxBatch: 100,
    concurrency: 2,
    isRetryable,
    isFatal: (err) => err instanceof DatabaseUnavailable,
    onBatch: (size) => ctx.monitor.metrics.batchSize.observe({ name: own.name }, size),
    ...own,
  });
