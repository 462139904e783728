// The health check of workers: when one last requested work.
import type { HealthCheck } from "../../../core/health-check.ts";
import type { QueueContext } from "../context.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { readLastSeen } from "./store/queue-activity.ts";

/** Returns the check. It considers the workers of all processes, except the built-in ones. */
export function workerHealth(
  { db, clock, monitor }: Pick<QueueContext, "db" | "clock" | "monitor">,
  activity: Pick<WorkerActivity, "flush">,
): () => Promise<HealthCheck> {
  const name = "Worker";
  return async () => {
    let seen: number | undefined;
    try {
      await activity.flush();
      seen = await readLastSeen(db);
    } catch (err) {
      monitor.log.warn({ err }, "cannot read when a worker was last seen");
      return { name, state: "unknown", detail: "unknown while the database does not respond" };
    }
    if (seen === undefined)
      return { name, state: "unknown", detail: "none seen yet: start one with `taskyard worker`" };
    return { name, state: "healthy", detail: `requested work ${ago(clock.now() - seen)}` };
  };
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
