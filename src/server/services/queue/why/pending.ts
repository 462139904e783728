// Explains why a pending run is not running yet: its position in the queue, and the workers of the queue.
import { PRIORITIES } from "../../../../api/queue/task.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { Reason } from "../../../../api/queue/why.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { QueueActivity } from "../workers/queue-activity.ts";
import { countAhead, type SubjectRow } from "./store.ts";
import { workerReasons } from "./queue-workers.ts";

export type WhyContext = Pick<QueueContext, "db" | "clock" | "config"> & {
  /** Returns how a queue was served in the last minutes. */
  readonly activity: (taskQueueId: string) => Promise<QueueActivity>;
};

/** Upper bound of counts: an exact number is useless beyond it, and counting a million would take a second. */
const CAP = 10_000;

/** Explains why the latest run, which is pending, is not claimed. */
export async function pendingReasons(
  ctx: WhyContext,
  task: SubjectRow,
  status: TaskStatus,
): Promise<Reason[]> {
  const { task_id: taskId, task_queue_id: taskQueueId, seq } = task;
  const run = status.runs.at(-1);
  if (!run || seq === null || task.deadline.getTime() <= ctx.clock.now()) return [];
  const { runId } = run;
  const priority = PRIORITIES[PRIORITIES.length - task.priority] ?? "lowest";
  const [{ higher, same, claimed }, activity] = await Promise.all([
    countAhead(ctx.db, { taskQueueId, priority: task.priority, seq }, CAP, timestamp(ctx)),
    ctx.activity(taskQueueId),
  ]);
  const all = higher + same;
  const ahead = Math.min(all, CAP);
  const reasons: Reason[] = [
    {
      code: "position",
      summary:
        all === 0
          ? `Run ${runId} is the next to be claimed in ${taskQueueId}.`
          : `${all > CAP ? `More than ${CAP}` : all} ${all === 1 ? "run is" : "runs are"} ahead of it in ${taskQueueId}.`,
      taskId,
      runId,
      taskQueueId,
      priority,
      ahead,
      exact: all <= CAP,
    },
  ];
  if (higher > 0)
    reasons.push({
      code: "priority",
      summary: `${higher > CAP ? `More than ${CAP}` : higher} of them ${higher === 1 ? "has" : "have"} a higher priority than its own (${priority}).`,
      taskId,
      taskQueueId,
      priority,
      runs: Math.min(higher, CAP),
      exact: higher <= CAP,
    });
  if (task.locked)
    reasons.push({
      code: "being-changed",
      summary: `A transaction locks run ${runId} at this moment, so claims skip it until the transaction ends.`,
      taskId,
      runId,
    });
  const workers = workerReasons({ taskId, taskQueueId, ahead, exact: all <= CAP, claimed }, activity);
  const [first] = workers;
  // If no worker serves the queue, that matters most.
  return first?.code === "no-worker" || first?.code === "workers-quarantined"
    ? [first, ...reasons, ...workers.slice(1)]
    : [...reasons, ...workers];
}
