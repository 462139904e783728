// One claimed run as a state machine: it handles everything that can stop the run, and takes it from the claim to the report.
//
//   claimed → preparing → starting → running → stopping → resolving → reporting → disposing → done
//
// An abort skips to `resolving` from any earlier stage. Once `resolving` has started, only a resolution by the queue
// (canceled, deadline, claim lost) changes the result, and then nothing is reported.
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { ClaimedTask } from "../api/queue/claim.ts";
import type { Clock } from "../lib/clock.ts";
import { withTimeout } from "../lib/retry.ts";
import { createDownloader } from "./artifact-download.ts";
import { createUploader } from "./artifact-upload.ts";
import { keepClaim } from "./claim-keeper.ts";
import type { WorkerMonitor } from "./worker-monitor.ts";
import type { ObjectClient } from "../client/artifacts/upload-object.ts";
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
import { failureOf, runStages } from "./task-stages.ts";
import type { Failure, Parts, Stage } from "./task-stages.ts";
import { systemFault } from "../lib/system-fault.ts";
import type { ExceptionWatch } from "./exception-watch.ts";
import type { WorkDir } from "./work-dir.ts";

export interface TaskRunOptions extends Parts {
  readonly claim: ClaimedTask;
  /** When the reply to the claim arrived, on the worker's clock. */
  readonly receivedAt: number;
  /** The queue with the worker's own credentials. */
  readonly queue: QueueClient;
  readonly objects: ObjectClient;
  /** The largest file that is uploaded in one PUT, in bytes. */
  readonly maxPutBytes: number;
  readonly watch: ExceptionWatch;
  readonly clock: Clock;
  readonly monitor: WorkerMonitor;
  readonly rootUrl: string;
  readonly workDir: WorkDir;
  /** The description of the worker in the first lines of the log. */
  readonly description: object;
  /** How long a run that is stopped with the worker may take to save its log, in ms. The report gets two more seconds. */
  readonly shutdownLimitMs: number;
}

export interface TaskRun {
  readonly taskId: string;
  readonly runId: number;
  /** Stops the run. The first cause decides, unless a later one means that the run is lost. */
  abort(cause: AbortCause): void;
  /** The result. Settles when no process or file of the run is left on this machine. Never rejects. */
  readonly done: Promise<Resolution>;
}

// The time limit for uploading the log of a canceled or lost run. Its slot stays in use, but the cancellation does not wait.
const lostRunLimitMs = 5 * 60_000;
const reportLimitMs = 2000;

export function startTaskRun(options: TaskRunOptions): TaskRun {
  const { claim, clock } = options;
  const { taskId } = claim.status;
  const { runId } = claim;
  const run = { taskId, runId: String(runId) };
  const monitor = options.monitor.with({ taskId, runId });
  /** Aborts the work on the run. */
  const work = new AbortController();
  // Ten concurrent uploads listen beside the hook that started them, and Node reports more than ten listeners as a leak.
  setMaxListeners(32, work.signal);
  /** Aborts the saving of the log, after the work. */
  const saving = new AbortController();
  /** Aborts the report, a little later: it is short, and the queue needs it to run the task again soon. */
  const reporting = new AbortController();
  let cause: AbortCause | undefined;
  let stage: Stage = "claimed";
  let log: TaskLog | undefined;
  let cancelLimit = (): void => undefined;

  function abort(why: AbortCause): void {
    if (stage === "disposing" || stage === "done") return;
    if (cause === undefined || (isLost(why) && !isLost(cause))) cause = why;
    const reason = new AbortedError(why);
    if (why === "claim-lost") {
      saving.abort(reason);
      reporting.abort(reason);
    }
    if (why === "worker-shutdown") limitTo(options.shutdownLimitMs, reason);
    else if (!work.signal.aborted) limitTo(lostRunLimitMs, reason);
    if (work.signal.aborted) return;
    if (stage !== "resolving" && stage !== "reporting") log?.error("Aborting task...");
    work.abort(reason);
  }

  function limitTo(ms: number, reason: Error): void {
    cancelLimit();
    cancelLimit = clock.after(ms, () => {
      saving.abort(reason);
      cancelLimit = clock.after(reportLimitMs, () => reporting.abort(reason));
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

  function contextFor({ controlDir, ...folders }: TaskFolders, taskLog: TaskLog): TaskContext {
    const { taskQueueId, expires } = claim.status;
    return {
      info: { taskId, runId, rootUrl: options.rootUrl, taskQueueId, expires, definition: claim.task },
      log: taskLog,
      monitor,
      clock,
      signal: work.signal,
      artifacts: createUploader({
        queue: () => keeper.queue(),
        run,
        clock,
        tempDir: controlDir,
        objects: options.objects,
        maxPutBytes: options.maxPutBytes,
        checkClaim: () => keeper.check(),
      }),
      downloads: createDownloader({ queue: () => keeper.queue(), clock }),
      reservedArtifacts: new Set(),
      taskDir: folders.taskDir,
      homeDir: folders.homeDir,
      tempDir: folders.tempDir,
      controlDir,
    };
  }

  /** Runs all stages and writes the log. Rejects only if there is no log to write to. */
  async function runWithLog(folders: TaskFolders, created: TaskPlugin[]): Promise<Failure | undefined> {
    const taskLog = (log = await openTaskLog(join(folders.controlDir, "task.log"), clock));
    writeHead(taskLog, options);
    const baseContext = contextFor(folders, taskLog);
    const { payload } = claim.task;
    const failure = await runStages({ ...options, baseContext, payload, created, enter });
    for (const message of failure?.messages ?? []) taskLog.error(message);
    await taskLog.close();
    if (taskLog.failure === undefined) return failure;
    return (
      failure ??
      failureOf(
        new ResourceUnavailableError(
          `the log could not be written to ${folders.controlDir}: ${systemFault(taskLog.failure)}. Free some space there, or quarantine the worker.`,
          { cause: taskLog.failure },
        ),
        baseContext,
      )
    );
  }

  /** Calls a hook of the teardown, whose failure does not change the result. */
  async function tearDown(signal: AbortSignal, what: string, call: () => Promise<void>): Promise<void> {
    try {
      await withTimeout({ clock, signal, ms: options.hookLimitMs, what }, call);
    } catch (error) {
      if (signal.aborted) monitor.warn(`${what} was aborted`, { cause });
      else monitor.reportError(error, { hook: what });
    }
  }

  async function runToEnd(): Promise<Resolution> {
    const created: TaskPlugin[] = [];
    let folders: TaskFolders | undefined;
    let failure: Failure | undefined;
    try {
      folders = await createTaskFolders(options.workDir, { taskId, runId });
      failure = await runWithLog(folders, created);
    } catch (error) {
      failure = failureOf(error, { signal: work.signal, monitor });
    }

    enter("resolving");
    for (const plugin of created.toReversed()) {
      const resolution = resolutionAfter(failure);
      await tearDown(saving.signal, "resolving", async () =>
        plugin.resolving?.(resolution, saving.signal, failure?.messages ?? []),
      );
    }

    // The report of an exception causes an event about this run.
    unwatch();
    enter("reporting");
    const resolution = resolutionAfter(failure);
    await report({ queue: () => keeper.queue(), run, resolution, clock, monitor, signal: reporting.signal });

    enter("disposing");
    keeper.stop();
    cancelLimit();
    const neverAborted = new AbortController().signal;
    for (const plugin of created.toReversed())
      await tearDown(neverAborted, "dispose", async () => plugin.dispose?.());
    await tearDown(neverAborted, "closing the log", async () => log?.dispose());
    await tearDown(neverAborted, "removing the task's folder", async () => folders?.remove());
    enter("done");
    return resolution;
  }

  return { taskId, runId, abort, done: runToEnd() };
}

function writeHead(log: TaskLog, { claim, description }: TaskRunOptions): void {
  const json = JSON.stringify(description, null, 2).replaceAll("\n", "\n  ");
  log.info(`Worker Type (${claim.status.taskQueueId}) settings:\n  ${json}`);
  log.info(`Task ID: ${claim.status.taskId}`);
  log.info("=== Task Starting ===");
}
