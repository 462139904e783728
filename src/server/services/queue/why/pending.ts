// Why a pending run is not running yet: its place in the queue, and who serves that.
import { PRIORITIES } from "../../../../api/queue/task.ts";
import type { TaskStatus } from "../../../../api/queue/status.ts";
import type { Reason } from "../../../../api/queue/why.ts";
import { timestamp } from "../context.ts";
import { countAhead, type SubjectRow } from "./store.ts";
import type { WhyContext } from "./context.ts";
import { serviceReasons } from "./service.ts";

/** Where counting ends. Beyond, nobody waits for a number; and a count of a million would take a second. */
const CAP = 10_000;

/** What keeps the latest run, which is pending, from being claimed. */
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
          : `${all > CAP ? `More than ${CAP}` : all} ${all === 1 ? "run is" : "runs are"} served before it in ${taskQueueId}.`,
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
      summary: `${higher > CAP ? `More than ${CAP}` : higher} of them ${higher === 1 ? "is" : "are"} of a higher priority than its own (${priority}).`,
      taskId,
      taskQueueId,
      priority,
      runs: Math.min(higher, CAP),
      exact: higher <= CAP,
    });
  if (task.held)
    reasons.push({
      code: "being-changed",
      summary: `A statement holds run ${runId} at this moment, and claims pass it by until that ends.`,
      taskId,
      runId,
    });
  // Where nobody serves the queue, its order does not matter.
  const service = serviceReasons({ taskId, taskQueueId, ahead, exact: all <= CAP, claimed }, activity);
  const [first] = service;
  return first?.code === "no-worker" || first?.code === "workers-quarantined"
    ? [first, ...reasons, ...service.slice(1)]
    : [...reasons, ...service];
}
