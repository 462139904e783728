// Explains how a queue is served: which workers request its runs, and how fast they are claimed.
import type { Reason } from "../../../../api/queue/why.ts";
import type { QueueActivity } from "../workers/queue-activity.ts";

interface PendingRun {
  readonly taskId: string;
  readonly taskQueueId: string;
  /** Runs that are claimed before it, and whether the number is exact. */
  readonly ahead: number;
  readonly exact: boolean;
  /** Running runs of the queue. */
  readonly claimed: number;
}

const minutesOf = (ms: number): number => Math.max(1, Math.round(ms / 60_000));

/** Explains what the workers of the queue, or their absence, mean for a pending run. */
export function workerReasons(run: PendingRun, activity: QueueActivity): Reason[] {
  const { taskQueueId } = run;
  // The server itself resolves these.
  if (taskQueueId.startsWith("built-in/")) return [];
  const workers = workersReason(run, activity);
  // The past rate of claims predicts nothing if no worker serves the queue any more.
  return [workers, workers.code === "workers" ? rateReason(run, activity) : unserved(run)];
}

const unserved = ({ taskId, taskQueueId }: PendingRun): Reason => ({
  code: "unknown",
  summary: `When it will be claimed is unknown: no worker serves ${taskQueueId} now.`,
  taskId,
  about: "time until the claim",
});

function workersReason({ taskId, taskQueueId, claimed }: PendingRun, activity: QueueActivity): Reason {
  const { lastSeen, workers, quarantined, seenWorkers } = activity;
  if (lastSeen === undefined)
    return {
      code: "no-worker",
      summary: `No worker serves ${taskQueueId}: none has requested work in the last day.`,
      taskId,
      taskQueueId,
    };
  const since = lastSeen.toISOString();
  if (workers === 0)
    return {
      code: "no-worker",
      summary: `No worker serves ${taskQueueId}: none has requested work or renewed a claim since ${since}, and a waiting one would have.`,
      taskId,
      taskQueueId,
      lastSeen: since,
    };
  const many = `${workers} ${workers === 1 ? "worker" : "workers"} of ${taskQueueId}`;
  if (quarantined >= workers)
    return {
      code: "workers-quarantined",
      summary: `${many} ${workers === 1 ? "is" : "are"} active, but all are in quarantine and get no work.`,
      taskId,
      taskQueueId,
      workers,
    };
  const running = `${claimed === 0 ? "No run" : runsOf(claimed)} of the queue ${claimed > 1 ? "are" : "is"} running`;
  const seen =
    seenWorkers === 0
      ? `${many} ${workers === 1 ? "holds" : "hold"} runs, but none has requested work or renewed a claim since ${since}: busy, or gone`
      : `${many} ${workers === 1 ? "is" : "are"} active${quarantined > 0 ? `, ${quarantined} of them in quarantine` : ""}; the last was seen at ${since}`;
  return {
    code: "workers",
    summary: `${seen}. ${running}.`,
    taskId,
    taskQueueId,
    workers,
    quarantined,
    claimed,
    lastSeen: since,
  };
}

function rateReason(
  { taskId, taskQueueId, ahead, exact, claimed }: PendingRun,
  activity: QueueActivity,
): Reason {
  const { recentClaims: claims, recentClaimsMs: ms } = activity;
  const minutes = minutesOf(ms);
  if (claims === 0)
    return {
      code: "unknown",
      summary: `When it will be claimed is unknown: no run of ${taskQueueId} was claimed in the last ${minutes} minutes.`,
      taskId,
      about: "time until the claim",
    };
  const estimate = Math.ceil(((ahead + 1) * ms) / claims / 1000);
  const longer =
    claimed === 0
      ? ""
      : ` or the ${claimed === 1 ? "running run takes" : `${claimed} running runs take`} longer than those did`;
  return {
    code: "claim-rate",
    summary: `${runsOf(claims)} of ${taskQueueId} ${claims === 1 ? "was" : "were"} claimed in the last ${minutes} minutes: at that rate it is claimed in ${exact ? "about" : "more than"} ${inWords(estimate)}, unless runs of higher priority arrive${longer}.`,
    taskId,
    taskQueueId,
    claims,
    minutes,
    estimate,
  };
}

const runsOf = (count: number): string => `${count} ${count === 1 ? "run" : "runs"}`;

function inWords(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
