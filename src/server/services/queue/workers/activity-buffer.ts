// A write-behind buffer of the activity of workers: calls record it in memory, and it is written together shortly after.
//
// So a claim does not wait for a row that only says when its worker was seen. If the process is killed, at most the last
// `workerSeenInterval` is lost: when workers were seen, their recent tasks, and counts of claims. Runs, claims and
// quarantines are not buffered.
import { backoffDelay } from "../../../../lib/backoff.ts";
import { reportFailure } from "../../../core/outage.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import { RECENT_TASKS, writeActivity, type SeenQueue } from "./store/activity.ts";
import type { WorkerKey } from "./store/workers.ts";

export interface WorkerActivity {
  /** Records that a worker requested work or renewed a claim. */
  seen(worker: WorkerKey): void;
  /** Records that a worker claimed these runs. */
  claimed(worker: WorkerKey, runs: readonly { readonly task_id: string; readonly run_id: number }[]): void;
  /** Writes the buffer. Never rejects: after an error, the buffer is kept, the error reported, and the write retried. */
  flush(): Promise<void>;
}

/** The maximum number of buffered workers, and of minutes of queues, for when the database is unavailable. */
const MAX_BUFFERED = 20_000;
const MINUTE = 60_000;
const retryBackoff = { baseMs: 1000, maxMs: 60_000, jitter: 0.25 };

interface BufferedWorker extends WorkerKey {
  readonly firstSeen: string;
  lastSeen: string;
  /** `taskId/runId`, the newest last. */
  recent: string[];
}
interface BufferedMinute {
  readonly taskQueueId: string;
  readonly minute: string;
  claims: number;
}
interface Activity {
  readonly workers: Map<string, BufferedWorker>;
  readonly minutes: Map<string, BufferedMinute>;
}

export function createWorkerActivity(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "monitor">,
): WorkerActivity {
  let buffer = noActivity();
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let failures = 0;

  function add(worker: WorkerKey, runs: readonly { task_id: string; run_id: number }[]): void {
    const now = timestamp(ctx);
    addWorker(buffer, {
      taskQueueId: worker.taskQueueId,
      workerGroup: worker.workerGroup,
      workerId: worker.workerId,
      firstSeen: now,
      lastSeen: now,
      recent: runs.map((run) => `${run.task_id}/${run.run_id}`),
    });
    if (runs.length > 0) {
      const minute = new Date(Math.floor(ctx.clock.now() / MINUTE) * MINUTE).toISOString();
      addMinute(buffer, { taskQueueId: worker.taskQueueId, minute, claims: runs.length });
    }
    writeIn(ctx.config.workerSeenInterval);
  }

  function writeIn(ms: number): void {
    cancelTimer ??= ctx.clock.after(ms, () => {
      cancelTimer = undefined;
      void flush();
    });
  }

  async function flush(): Promise<void> {
    while (writing !== undefined) await writing;
    if (buffer.workers.size === 0) return;
    cancelTimer?.();
    cancelTimer = undefined;
    writing = write();
    await writing;
  }

  async function write(): Promise<void> {
    const taken = buffer;
    buffer = noActivity();
    try {
      await writeActivity(ctx.db, queuesOf(taken), [...taken.workers.values()], [...taken.minutes.values()]);
      failures = 0;
    } catch (err) {
      reportFailure(ctx.monitor, err, { unwritten: taken.workers.size });
      // Activity recorded in the meantime is newer, so it is added to what was taken.
      for (const worker of buffer.workers.values()) addWorker(taken, worker);
      for (const minute of buffer.minutes.values()) addMinute(taken, minute);
      buffer = taken;
      cancelTimer?.();
      cancelTimer = undefined;
      writeIn(Math.max(ctx.config.workerSeenInterval, backoffDelay(failures++, retryBackoff)));
    } finally {
      writing = undefined;
    }
  }

  return { seen: (worker) => add(worker, []), claimed: add, flush };
}

const noActivity = (): Activity => ({ workers: new Map(), minutes: new Map() });

function addWorker({ workers }: Activity, worker: BufferedWorker): void {
  const key = `${worker.taskQueueId}/${worker.workerGroup}/${worker.workerId}`;
  const known = workers.get(key);
  if (known === undefined) {
    if (workers.size < MAX_BUFFERED)
      workers.set(key, { ...worker, recent: worker.recent.slice(-RECENT_TASKS) });
    return;
  }
  // ISO times have the same length, so they can be compared as text.
  if (worker.lastSeen > known.lastSeen) known.lastSeen = worker.lastSeen;
  if (worker.recent.length > 0) known.recent = [...known.recent, ...worker.recent].slice(-RECENT_TASKS);
}

function addMinute({ minutes }: Activity, { taskQueueId, minute, claims }: BufferedMinute): void {
  const key = `${taskQueueId} ${minute}`;
  const known = minutes.get(key);
  if (known !== undefined) known.claims += claims;
  else if (minutes.size < MAX_BUFFERED) minutes.set(key, { taskQueueId, minute, claims });
}

/** Returns each queue once, with the time when it was last seen. */
function queuesOf({ workers }: Activity): SeenQueue[] {
  const queues = new Map<string, SeenQueue>();
  for (const { taskQueueId, lastSeen } of workers.values()) {
    const known = queues.get(taskQueueId);
    if (known === undefined || lastSeen > known.lastSeen) queues.set(taskQueueId, { taskQueueId, lastSeen });
  }
  return [...queues.values()];
}
