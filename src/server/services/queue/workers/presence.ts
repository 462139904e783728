// What the silence of a worker means.
import type { QueueContext } from "../context.ts";

/**
 * Returns after how long a worker that was not seen is gone, unless it is busy: a worker without work repeats its request when
 * claimWork returns none, and a busy one is seen when it renews its claims. Processes write what they have seen with a delay.
 */
export const silentMs = ({
  config: { claimWorkTimeout, workerSeenInterval },
}: Pick<QueueContext, "config">): number => Math.max(60_000, 3 * claimWorkTimeout) + workerSeenInterval;
