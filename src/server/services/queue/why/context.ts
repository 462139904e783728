// What explaining tasks stands on.
import type { QueueContext } from "../context.ts";
import type { QueueActivity } from "../workers/queue-activity.ts";

export type WhyContext = Pick<QueueContext, "db" | "clock" | "config"> & {
  /** How a queue was served in the last minutes. */
  readonly activity: (taskQueueId: string) => Promise<QueueActivity>;
};
