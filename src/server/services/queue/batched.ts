// Coalescing with the options that all batched calls of the queue share.
import { coalesce, type Coalesced, type CoalesceOptions } from "../../core/coalesce.ts";
import { DatabaseUnavailable, isRetryable } from "../../core/db-errors.ts";
import type { QueueContext } from "./context.ts";

type Own<I, O> = Pick<CoalesceOptions<I, O>, "name" | "run"> & Partial<CoalesceOptions<I, O>>;

/**
 * Lets concurrent calls of one kind share a statement. A batch that lost a deadlock is retried. A batch that fails
 * otherwise is split, so that an invalid row does not fail the others. Without a database, all its calls fail immediately.
 */
export const batched = <I, O>(ctx: Pick<QueueContext, "monitor">, own: Own<I, O>): Coalesced<I, O> =>
  coalesce({
    maxBatch: 100,
    concurrency: 2,
    isRetryable,
    isFatal: (err) => err instanceof DatabaseUnavailable && !isRetryable(err),
    onBatch: (size) => ctx.monitor.metrics.batchSize.observe({ name: own.name }, size),
    ...own,
  });
