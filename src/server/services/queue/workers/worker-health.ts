// The health check of workers: when one last requested work.
import type { HealthCheck } from "../../../core/health-check.ts";
import type { QueueContext } from "../context.ts";
import type { WorkerActivity } from "./activity-buffer.ts";
import { silentMs } from "./presence.ts";
import { readLastSeen } from "./store/queue-activity.ts";

/** Returns the check. It considers the workers of all processes, except the built-in ones. */
export function workerHealth(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "monitor">,
  activity: Pick<WorkerActivity, "flush">,
): () => Promise<HealthCheck> {
  const { db, clock, monitor } = ctx;
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
    const since = clock.now() - seen;
    if (since <= silentMs(ctx)) return { name, state: "healthy", detail: `requested work ${ago(since)}` };
    const detail = `none requested work since ${ago(since)}: all are busy or gone; \`taskyard worker\` starts one`;
    return { name, state: "unknown", detail };
  };
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}
