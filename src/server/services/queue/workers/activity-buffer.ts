// What this process sees of workers: noted in memory by the calls, and written together a moment later.
//
// A claim must not wait for a row that says "this worker was seen", which matters to nobody within a second. What is
// not written yet is lost when the process is killed: at most the last `workerSeenInterval` of who was seen, of the
// tasks that a worker claimed last and of the claims counted. Runs, claims and quarantines are none of it.
import { backoffDelay } from "../../../../lib/backoff.ts";
import { timestamp, type QueueContext } from "../context.ts";
import { RECENT_TASKS, writeNotes, type SeenQueue } from "./store/activity.ts";

/** Whose note it is. */
export interface Worker {
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

export interface WorkerActivity {
  /** Notes that a worker asked for work, or kept a claim. */
  seen(worker: Worker): void;
  /** Notes that a worker was handed these runs. */
  claimed(worker: Worker, runs: readonly { readonly task_id: string; readonly run_id: number }[]): void;
  /** Writes what was noted until now. Never rejects: what could not be written is kept, reported and tried again. */
  flush(): Promise<void>;
}

/** Workers, and minutes of queues, noted at the most, as while the database is away; further ones are dropped. */
const MAX_NOTES = 20_000;
const MINUTE = 60_000;
const retryBackoff = { baseMs: 1000, maxMs: 60_000, jitter: 0.25 };

interface Note extends Worker {
  readonly firstSeen: string;
  lastSeen: string;
  /** `taskId/runId`, the newest last. */
  recent: string[];
}
interface Minute {
  readonly taskQueueId: string;
  readonly minute: string;
  claims: number;
}
interface Notes {
  readonly workers: Map<string, Note>;
  readonly minutes: Map<string, Minute>;
}

export function createWorkerActivity(
  ctx: Pick<QueueContext, "db" | "clock" | "config" | "monitor">,
): WorkerActivity {
  let notes = emptyNotes();
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let failures = 0;

  function add(worker: Worker, runs: readonly { task_id: string; run_id: number }[]): void {
    const now = timestamp(ctx);
    noteWorker(notes, {
      taskQueueId: worker.taskQueueId,
      workerGroup: worker.workerGroup,
      workerId: worker.workerId,
      firstSeen: now,
      lastSeen: now,
      recent: runs.map((run) => `${run.task_id}/${run.run_id}`),
    });
    if (runs.length > 0) {
      const minute = new Date(Math.floor(ctx.clock.now() / MINUTE) * MINUTE).toISOString();
      noteMinute(notes, { taskQueueId: worker.taskQueueId, minute, claims: runs.length });
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
    if (notes.workers.size === 0) return;
    cancelTimer?.();
    cancelTimer = undefined;
    writing = write();
    await writing;
  }

  async function write(): Promise<void> {
    const taken = notes;
    notes = emptyNotes();
    try {
      await writeNotes(ctx.db, queuesOf(taken), [...taken.workers.values()], [...taken.minutes.values()]);
      failures = 0;
    } catch (err) {
      ctx.monitor.reportError(err, { unwritten: taken.workers.size });
      // What came meanwhile is the newer, so it is added to what was taken.
      for (const note of notes.workers.values()) noteWorker(taken, note);
      for (const minute of notes.minutes.values()) noteMinute(taken, minute);
      notes = taken;
      cancelTimer?.();
      cancelTimer = undefined;
      writeIn(Math.max(ctx.config.workerSeenInterval, backoffDelay(failures++, retryBackoff)));
    } finally {
      writing = undefined;
    }
  }

  return { seen: (worker) => add(worker, []), claimed: add, flush };
}

const emptyNotes = (): Notes => ({ workers: new Map(), minutes: new Map() });

function noteWorker({ workers }: Notes, note: Note): void {
  const key = `${note.taskQueueId}/${note.workerGroup}/${note.workerId}`;
  const known = workers.get(key);
  if (known === undefined) {
    if (workers.size < MAX_NOTES) workers.set(key, { ...note, recent: note.recent.slice(-RECENT_TASKS) });
    return;
  }
  // Times are texts of one form, so their order is that of the texts.
  if (note.lastSeen > known.lastSeen) known.lastSeen = note.lastSeen;
  if (note.recent.length > 0) known.recent = [...known.recent, ...note.recent].slice(-RECENT_TASKS);
}

function noteMinute({ minutes }: Notes, { taskQueueId, minute, claims }: Minute): void {
  const key = `${taskQueueId} ${minute}`;
  const known = minutes.get(key);
  if (known !== undefined) known.claims += claims;
  else if (minutes.size < MAX_NOTES) minutes.set(key, { taskQueueId, minute, claims });
}

/** Each queue once, as last seen. */
function queuesOf({ workers }: Notes): SeenQueue[] {
  const queues = new Map<string, SeenQueue>();
  for (const { taskQueueId, lastSeen } of workers.values()) {
    const known = queues.get(taskQueueId);
    if (known === undefined || lastSeen > known.lastSeen) queues.set(taskQueueId, { taskQueueId, lastSeen });
  }
  return [...queues.values()];
}
