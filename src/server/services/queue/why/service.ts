// How a queue is served: who asks for its work, and how fast it is handed out.
import type { Reason } from "../../../../api/queue/why.ts";
import type { QueueActivity } from "../workers/queue-activity.ts";

interface Waiting {
  readonly taskId: string;
  readonly taskQueueId: string;
  /** Runs that are served first, and whether that is all of them. */
  readonly ahead: number;
  readonly exact: boolean;
  /** Runs of the queue that workers hold. */
  readonly claimed: number;
}

/** `ms` of the time in which workers count as recent, in words. */
const minutesOf = (ms: number): number => Math.max(1, Math.round(ms / 60_000));

/** What the workers of the queue, or the want of them, mean for a pending run. */
export function serviceReasons(waiting: Waiting, activity: QueueActivity): Reason[] {
  const { taskQueueId } = waiting;
  // Served by the server itself.
  if (taskQueueId.startsWith("built-in/")) return [];
  const workers = workersReason(waiting, activity);
  // How fast it was served says nothing where nobody serves it any more.
  return [workers, workers.code === "workers" ? rateReason(waiting, activity) : unserved(waiting)];
}

const unserved = ({ taskId, taskQueueId }: Waiting): Reason => ({
  code: "unknown",
  summary: `When it will be claimed is unknown: nobody serves ${taskQueueId} now.`,
  taskId,
  about: "time until the claim",
});

function workersReason({ taskId, taskQueueId, claimed }: Waiting, activity: QueueActivity): Reason {
  const { lastSeen, recentWorkers: workers, recentQuarantined: quarantined } = activity;
  if (lastSeen === undefined)
    return {
      code: "no-worker",
      summary: `No worker of ${taskQueueId} is known: none has asked for work in the last day.`,
      taskId,
      taskQueueId,
    };
  const since = lastSeen.toISOString();
  const minutes = minutesOf(activity.recentClaimsMs);
  if (workers === 0)
    return {
      code: "no-worker",
      summary: `No worker of ${taskQueueId} has asked for work, or kept a claim, since ${since}.`,
      taskId,
      taskQueueId,
      lastSeen: since,
    };
  const many = `${workers} ${workers === 1 ? "worker" : "workers"} of ${taskQueueId}`;
  if (quarantined >= workers)
    return {
      code: "workers-quarantined",
      summary: `${many} asked in the last ${minutes} minutes, and all are in quarantine: they get no work.`,
      taskId,
      taskQueueId,
      workers,
    };
  return {
    code: "workers",
    summary: `${many} asked in the last ${minutes} minutes${quarantined > 0 ? `, ${quarantined} of them in quarantine` : ""}; the last at ${since}. ${claimed === 0 ? "None of its runs is" : `${runsOf(claimed)} of it ${claimed === 1 ? "is" : "are"}`} running.`,
    taskId,
    taskQueueId,
    workers,
    quarantined,
    claimed,
    lastSeen: since,
  };
}

function rateReason(
  { taskId, taskQueueId, ahead, exact, claimed }: Waiting,
  activity: QueueActivity,
): Reason {
  const { recentClaims: claims, recentClaimsMs: ms } = activity;
  const minutes = minutesOf(ms);
  if (claims === 0)
    return {
      code: "unknown",
      summary: `When it will be claimed is unknown: nothing of ${taskQueueId} was claimed in the last ${minutes} minutes.`,
      taskId,
      about: "time until the claim",
    };
  const estimate = Math.ceil(((ahead + 1) * ms) / claims / 1000);
  const longer =
    claimed === 0
      ? ""
      : ` or the ${claimed === 1 ? "run that is" : `${runsOf(claimed)} that are`} running ${claimed === 1 ? "takes" : "take"} longer than those did`;
  return {
    code: "claim-rate",
    summary: `${runsOf(claims)} of ${taskQueueId} ${claims === 1 ? "was" : "were"} claimed in the last ${minutes} minutes: at that rate its turn comes in ${exact ? "about" : "more than"} ${inWords(estimate)}, unless others of higher priority come${longer}.`,
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
