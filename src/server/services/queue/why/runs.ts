// Explains a task's state by its runs and its deadline.
import type { Run, TaskStatus } from "../../../../api/queue/status.ts";
import type { Reason } from "../../../../api/queue/why.ts";
import type { QueueContext } from "../context.ts";
import type { SubjectRow } from "./store.ts";

type TimeContext = Pick<QueueContext, "clock" | "config">;

const workerOf = ({ workerGroup, workerId }: Run) => ({
  ...(workerGroup !== undefined && { workerGroup }),
  ...(workerId !== undefined && { workerId }),
});
const workerName = (run: Run): string =>
  run.workerId === undefined ? "no worker" : `worker ${run.workerGroup}/${run.workerId}`;

/** Explains that the deadline of an unresolved task has passed. */
export function deadlineReasons(
  { clock, config }: TimeContext,
  task: SubjectRow,
  { state }: TaskStatus,
): Reason[] {
  const deadline = task.deadline.getTime();
  if (deadline >= clock.now() || !["unscheduled", "pending", "running"].includes(state)) return [];
  const ends = deadline + config.deadlineDelay;
  const consequence =
    state === "running" ? "its claim can no longer be renewed" : "it can no longer be claimed";
  const end = new Date(ends).toISOString();
  return [
    {
      code: "deadline-passed",
      summary:
        ends >= clock.now()
          ? `The deadline (${task.deadline.toISOString()}) has passed: ${consequence}, and it is resolved as deadline-exceeded soon after ${end}.`
          : `The deadline (${task.deadline.toISOString()}) has passed, and the task should have been resolved soon after ${end}: the loop that does this is late.`,
      taskId: task.task_id,
      deadline: task.deadline.toISOString(),
      endsAfter: end,
    },
  ];
}

/** Explains which worker runs the latest run. */
export function runningReasons({ clock }: TimeContext, { taskId, runs }: TaskStatus): Reason[] {
  const run = runs.at(-1);
  if (run?.started === undefined || run.takenUntil === undefined) return [];
  const { runId, started, takenUntil } = run;
  const isExpired = Date.parse(takenUntil) < clock.now();
  return [
    {
      code: "running",
      summary: `Run ${runId} is held by ${workerName(run)} since ${started}; the claim ${isExpired ? "ended at" : "lasts until"} ${takenUntil}.`,
      taskId,
      runId,
      ...workerOf(run),
      started,
      takenUntil,
    },
    ...(isExpired
      ? [
          {
            code: "claim-expired" as const,
            summary: `The claim of run ${runId} was not renewed, so the worker stopped or is unreachable; the run is about to be resolved as claim-expired.`,
            taskId,
            runId,
            takenUntil,
          },
        ]
      : []),
  ];
}

/** Explains how the task was resolved. */
export function resolvedReasons(task: SubjectRow, status: TaskStatus): Reason[] {
  const { taskId, runs } = status;
  const run = runs.at(-1);
  const { state, resolved, reasonResolved } = run ?? {};
  if (!run || resolved === undefined || reasonResolved === undefined) return [];
  if (state !== "completed" && state !== "failed" && state !== "exception") return [];
  const reasons: Reason[] = [
    {
      code: "resolved",
      summary: endOf(run),
      taskId,
      runId: run.runId,
      state,
      reasonResolved,
      resolved,
      deadline: task.deadline.toISOString(),
      ...workerOf(run),
    },
  ];
  if (reasonResolved === "canceled") {
    reasons.push({
      code: "unknown",
      summary: "Who canceled it is not recorded.",
      taskId,
      about: "canceled by",
    });
    if (task.sealed)
      reasons.push({
        code: "group-sealed",
        summary: `Its group was sealed at ${task.sealed.toISOString()}, as cancelTaskGroup requires; whether the group was canceled is not recorded.`,
        taskId,
        taskGroupId: task.task_group_id,
        sealed: task.sealed.toISOString(),
      });
  }
  return reasons;
}

/** Explains in a sentence how a run ended. */
function endOf(run: Run): string {
  const { runId, resolved, started } = run;
  const end = `Run ${runId} ended at ${resolved}`;
  switch (run.reasonResolved) {
    case "completed":
      return `${end}: ${workerName(run)} completed it.`;
    case "failed":
      return `${end}: ${workerName(run)} reported that the task failed.`;
    case "canceled":
      return `${end}: it was canceled ${started === undefined ? "before a worker claimed it" : `while ${workerName(run)} held it`}.`;
    case "deadline-exceeded":
      return run.reasonCreated === "exception"
        ? `${end}: the task's deadline passed before it was scheduled.`
        : `${end}: the task's deadline passed ${started === undefined ? "before a worker claimed it" : `while ${workerName(run)} held it`}.`;
    case "claim-expired":
      return `${end}: ${workerName(run)} did not renew its claim, so it stopped or was unreachable.`;
    default:
      return `${end}: ${workerName(run)} reported ${run.reasonResolved}.`;
  }
}

/** Explains how the runs before the latest ended, in descending order, and why another followed. */
export const earlierRunReasons = ({ taskId, runs }: TaskStatus): Reason[] =>
  runs
    .slice(0, -1)
    .toReversed()
    .map((run) => ({
      code: "earlier-run",
      summary: `${endOf(run)} ${followedBy(runs[run.runId + 1])}`,
      taskId,
      runId: run.runId,
      state: run.state,
      ...(run.reasonResolved !== undefined && { reasonResolved: run.reasonResolved }),
      ...(run.resolved !== undefined && { resolved: run.resolved }),
      ...workerOf(run),
    }));

const followedBy = (next: Run | undefined): string =>
  next?.reasonCreated === "rerun"
    ? "It was followed by a rerun."
    : "It was retried, since the task had retries left.";
