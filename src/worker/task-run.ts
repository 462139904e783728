// One claimed run as one state machine: it owns what can stop the run, and walks it from claim to report.
//
//   claimed → preparing → starting → running → stopping → resolving → reporting → disposing → done
//
// An abort skips to `resolving` from any earlier stage. Only the queue's word (canceled, deadline, claim lost) changes
// a resolution once `resolving` has begun, and then nothing is reported.
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { ClaimedTask } from "../api/queue/claim.ts";
import type { Clock } from "../lib/clock.ts";
import { withTimeout } from "../lib/retry.ts";
import { createUploader } from "./artifact-upload.ts";
import { keepClaim } from "./claim-keeper.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { ObjectClient } from "./object-upload.ts";
import { AbortedError, isLost, ResourceUnavailableError } from "./outcome.ts";
import type { AbortCause, Resolution } from "./outcome.ts";
import type { TaskPlugin } from "./plugin.ts";
import type { QueueClient } from "./queue-client.ts";
import { report } from "./report.ts";
import type { TaskContext } from "./task-context.ts";
import { createTaskFolders } from "./task-dir.ts";
import type { TaskFolders } from "./task-dir.ts";
import { openTaskLog } from "./task-log.ts";
import type { TaskLog } from "./task-log.ts";
import { failureOf, workThrough } from "./task-stages.ts";
import type { Failure, Parts, Stage } from "./task-stages.ts";
import type { ExceptionWatch } from "./exception-watch.ts";

export interface TaskRunOptions extends Parts {
  readonly claim: ClaimedTask;
  /** The worker's time when the claim's reply came. */
  readonly receivedAt: number;
  /** The queue with the worker's own credentials. */
  readonly queue: QueueClient;
  readonly objects: ObjectClient;
  /** The largest file that goes to the store in one PUT. */
  readonly maxPutBytes: number;
  readonly watch: ExceptionWatch;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  readonly rootUrl: string;
  readonly workDir: string;
  /** What the head of the log tells of the worker. */
  readonly settings: object;
  /** How long a run that the worker's end stops may take to save its log, in ms; two seconds more to report. */
  readonly shutdownLimitMs: number;
}

export interface TaskRun {
  readonly taskId: string;
  readonly runId: number;
  /** Stops the run. The first cause counts, unless a later one means that the run is not ours any more. */
  abort(cause: AbortCause): void;
  /** What became of it; settles when nothing of the run is left on this machine. Never rejects. */
  readonly done: Promise<Resolution>;
}

// The log of a canceled run may be uploaded for a while; who cancels a task waits for no slot.
const canceledLimitMs = 5 * 60_000;
const reportLimitMs = 2000;

export function startTaskRun(options: TaskRunOptions): TaskRun {
  const { claim, clock } = options;
  const { taskId } = claim.status;
  const { runId } = claim;
  const run = { taskId, runId: String(runId) };
  const monitor = options.monitor.with({ taskId, runId });
  /** Ends the work on the run. */
  const stopped = new AbortController();
  // Ten concurrent uploads listen beside the hook that waits for them; Node reports more than ten as a leak.
  setMaxListeners(32, stopped.signal);
  /** Ends what comes after the work: saving the log. */
  const silenced = new AbortController();
  /** Ends the reporting, a little later: it is a matter of moments, and much depends on it. */
  const muted = new AbortController();
  let cause: AbortCause | undefined;
  let stage: Stage = "claimed";
  let log: TaskLog | undefined;
  let cancelLimit = (): void => undefined;

  function abort(why: AbortCause): void {
    if (stage === "disposing" || stage === "done") return;
    if (cause === undefined || (isLost(why) && !isLost(cause))) cause = why;
    const reason = new AbortedError(why);
    if (why === "claim-lost") {
      silenced.abort(reason);
      muted.abort(reason);
    }
    if (why === "worker-shutdown") limitTo(options.shutdownLimitMs, reason);
    else if (!stopped.signal.aborted) limitTo(canceledLimitMs, reason);
    if (stopped.signal.aborted) return;
    if (stage !== "resolving" && stage !== "reporting") log?.error("Aborting task...");
    stopped.abort(reason);
  }

  function limitTo(ms: number, reason: Error): void {
    cancelLimit();
    cancelLimit = clock.after(ms, () => {
      silenced.abort(reason);
      cancelLimit = clock.after(reportLimitMs, () => muted.abort(reason));
    });
  }

  function enter(next: Stage): void {
    stage = next;
    monitor.debug(`stage ${next}`);
  }

  const keeper = keepClaim({ ...options, monitor, onLost: abort });
  const unwatch = options.watch.onException(taskId, () => void keeper.check());

  function resolutionAfter(failure: Failure | undefined): Resolution {
    if (cause !== undefined && isLost(cause)) return { kind: "none", cause };
    if (failure === undefined) return { kind: "completed" };
    if (failure.outcome === "failed") return { kind: "failed" };
    return { kind: "exception", reason: failure.outcome };
  }

  function viewFor({ taskDir, controlDir }: TaskFolders, taskLog: TaskLog): TaskContext {
    const { taskQueueId, expires } = claim.status;
    return {
      info: { taskId, runId, rootUrl: options.rootUrl, taskQueueId, expires, definition: claim.task },
      log: taskLog,
      monitor,
      clock,
      signal: stopped.signal,
      artifacts: createUploader({
        queue: () => keeper.queue(),
        run,
        clock,
        tempDir: controlDir,
        objects: options.objects,
        maxPutBytes: options.maxPutBytes,
        stillOurs: () => keeper.check(),
      }),
      reservedArtifacts: new Set(),
      taskDir,
      controlDir,
    };
  }

  /** The work and its log. Rejects only where there is no log to write to. */
  async function work(folders: TaskFolders, created: TaskPlugin[]): Promise<Failure | undefined> {
    const taskLog = (log = await openTaskLog(join(folders.controlDir, "task.log"), clock));
    writeHead(taskLog, options);
    const view = viewFor(folders, taskLog);
    const failure = await workThrough({ ...options, view, payload: claim.task.payload, created, enter });
    for (const message of failure?.messages ?? []) taskLog.error(message);
    await taskLog.close();
    if (taskLog.failure === undefined) return failure;
    return (
      failure ??
      failureOf(
        new ResourceUnavailableError("the log could not be written", { cause: taskLog.failure }),
        view,
      )
    );
  }

  /** Runs a hook of the teardown, where a failure changes nothing any more. */
  async function lastly(signal: AbortSignal, what: string, call: () => Promise<void>): Promise<void> {
    try {
      await withTimeout({ clock, signal, ms: options.hookLimitMs, what }, call);
    } catch (error) {
      if (signal.aborted) monitor.warn(`${what} was cut short`, { cause });
      else monitor.reportError(error, { hook: what });
    }
  }

  async function walk(): Promise<Resolution> {
    const created: TaskPlugin[] = [];
    let folders: TaskFolders | undefined;
    let failure: Failure | undefined;
    try {
      folders = await createTaskFolders(options.workDir, { taskId, runId });
      failure = await work(folders, created);
    } catch (error) {
      failure = failureOf(error, { signal: stopped.signal, monitor });
    }

    enter("resolving");
    for (const plugin of created.toReversed()) {
      const resolution = resolutionAfter(failure);
      await lastly(silenced.signal, "resolving", async () =>
        plugin.resolving?.(resolution, silenced.signal, failure?.messages ?? []),
      );
    }

    // Our own report of an exception would be announced to us, too.
    unwatch();
    enter("reporting");
    const resolution = resolutionAfter(failure);
    await report({ queue: () => keeper.queue(), run, resolution, clock, monitor, signal: muted.signal });

    enter("disposing");
    keeper.stop();
    cancelLimit();
    const always = new AbortController().signal;
    for (const plugin of created.toReversed())
      await lastly(always, "dispose", async () => plugin.dispose?.());
    await lastly(always, "removing the task's folder", async () => folders?.remove());
    enter("done");
    return resolution;
  }

  return { taskId, runId, abort, done: walk() };
}

function writeHead(log: TaskLog, { claim, settings }: TaskRunOptions): void {
  const json = JSON.stringify(settings, null, 2).replaceAll("\n", "\n  ");
  log.info(`Worker Type (${claim.status.taskQueueId}) settings:\n  ${json}`);
  log.info(`Task ID: ${claim.status.taskId}`);
  log.info("=== Task Starting ===");
}
