// The worker, put together: claim loop, engine and plugins in their order, live logs, and one way to stop it all.
import { access, constants, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { ClaimedTask } from "../api/queue/claim.ts";
import type { EventListening } from "../client/connect.ts";
import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import type { Engine } from "./engine.ts";
import { nativeEngine } from "./engines/native/engine.ts";
import { startLiveLogServer } from "./live-log-server.ts";
import type { LiveLogServer, LiveLogServerOptions } from "./live-log-server.ts";
import { startClaimLoop } from "./loop.ts";
import { logMonitor, messageOf } from "./worker-monitor.ts";
import type { Logger } from "./worker-monitor.ts";
import { composePayload } from "./payload-schema.ts";
import type { Plugin } from "./plugin.ts";
import { artifactsPlugin } from "./plugins/artifacts/plugin.ts";
import { envPlugin } from "./plugins/env.ts";
import { exitStatusPlugin } from "./plugins/exit-status.ts";
import { failureReportPlugin } from "./plugins/failure-report.ts";
import { logsPlugin } from "./plugins/logs.ts";
import { maxLogSizePlugin } from "./plugins/max-log-size.ts";
import { maxRunTimePlugin } from "./plugins/max-run-time.ts";
import { notYetPlugin } from "./plugins/not-yet.ts";
import type { ObjectClient } from "./object-upload.ts";
import type { QueueClient } from "./queue-client.ts";
import { cleanUp } from "./task-dir.ts";
import { startTaskRun } from "./task-run.ts";
import type { TaskRun } from "./task-run.ts";
import { watchExceptions } from "./exception-watch.ts";

/** The server as the worker calls it, with the worker's own credentials: a client made by `connect` fits. */
export interface WorkerClient {
  readonly rootUrl: string;
  readonly queue: QueueClient;
  readonly object: ObjectClient;
  readonly events: EventListening;
}

export interface WorkerOptions {
  readonly client: WorkerClient;
  readonly taskQueueId: string;
  readonly workerGroup: string;
  readonly workerId: string;
  /** How many tasks at once. */
  readonly capacity: number;
  /** Folder for the folders of tasks; made if missing. Workers may share one. */
  readonly workDir: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Default: the native engine with this process's environment. */
  readonly engine?: Engine;
  /** Plugins beside the built-in ones, after them in order. */
  readonly plugins?: readonly Plugin[];
  readonly liveLog?: LiveLogServerOptions;
  /** How long running tasks may go on when the worker stops, in ms; default 0. */
  readonly stopGraceMs?: number;
  /**
   * How long tasks that the stop ends may take to save their log, in ms; default 6,000. The report may take two seconds
   * more, so that all is over within the ten that service managers allow.
   */
  readonly shutdownLimitMs?: number;
  /** The most that a task may ask for as its maxRunTime, in seconds; default a day. */
  readonly maxTaskRunTimeSeconds?: number;
  /** The longest log that a task may write, in bytes; default 1 GiB. */
  readonly maxLogBytes?: number;
  /** The largest file that may be an artifact; default 50 GB. */
  readonly maxArtifactBytes?: number;
  /**
   * The largest file that goes to the store in one PUT, as an artifact of type `s3`; larger ones are of type `object` and go
   * in parts. Default 5 GiB, the most that S3 takes in one PUT.
   */
  readonly maxPutBytes?: number;
  /** The most that one step of a plugin may take, in ms; default half an hour. */
  readonly hookLimitMs?: number;
  /** How often to ask about running tasks while the server's events cannot be had, in ms; default 2,000. */
  readonly cancelPollMs?: number;
}

export interface Worker {
  /** Stops claiming, lets tasks finish for `stopGraceMs`, ends the others as `worker-shutdown`. May be called twice. */
  stop(reason: string): Promise<void>;
  /** Settles when the worker has stopped. */
  readonly done: Promise<void>;
}

/** Starts a worker. Rejects where its folder cannot be used or its parts do not fit together. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { clock = systemClock, capacity, taskQueueId, workerGroup, workerId } = options;
  const { rootUrl, queue, object: objects, events } = options.client;
  const monitor = logMonitor(options.log, { taskQueueId, workerGroup, workerId });
  const workDir = await usableFolder(options.workDir);
  const engine = options.engine ?? nativeEngine();
  await cleanUp(workDir, engine, monitor);
  const liveLogs = await startLiveLogServer(options.liveLog);
  const plugins = [...builtInPlugins(options, liveLogs), ...(options.plugins ?? [])];
  const payloads = composePayload([engine, ...plugins]);
  const watch = watchExceptions({
    events,
    workerGroup,
    workerId,
    clock,
    monitor,
    pollMs: options.cancelPollMs ?? 2000,
  });
  const { arch, platform, version } = process;
  const settings = {
    "taskyard-worker": { arch, os: platform, node: version, engine: engine.name, capacity },
  };
  const runs = new Set<TaskRun>();

  const loop = startClaimLoop({
    queue,
    taskQueueId,
    workerGroup,
    workerId,
    capacity,
    clock,
    monitor,
    async start(claim, receivedAt) {
      const run = begin(claim, receivedAt);
      if (run === undefined) return;
      runs.add(run);
      await run.done;
      runs.delete(run);
    },
  });
  function begin(claim: ClaimedTask, receivedAt: number): TaskRun | undefined {
    try {
      return startTaskRun({
        claim,
        receivedAt,
        queue,
        objects,
        maxPutBytes: options.maxPutBytes ?? 5 * 2 ** 30,
        watch,
        clock,
        monitor,
        rootUrl,
        workDir,
        settings,
        engine,
        plugins,
        payloads,
        hookLimitMs: options.hookLimitMs ?? 30 * 60_000,
        shutdownLimitMs: options.shutdownLimitMs ?? 6000,
      });
    } catch (error) {
      // A claim that makes no sense (credentials that cannot be used) must not take the worker down with it.
      monitor.reportError(error, { taskId: claim.status.taskId, runId: claim.runId });
      return undefined;
    }
  }
  monitor.info("worker waits for tasks", { capacity, workDir });

  async function stop(reason: string): Promise<void> {
    monitor.info("worker stops", { reason, running: runs.size });
    await loop.stop();
    const over = (): Promise<unknown> => Promise.all([...runs].map((run) => run.done));
    let cancel = (): void => undefined;
    const grace = new Promise<void>((end) => (cancel = clock.after(options.stopGraceMs ?? 0, end)));
    await Promise.race([over(), grace]);
    cancel();
    for (const run of runs) run.abort("worker-shutdown");
    await over();
    await Promise.all([watch.stop(), liveLogs.close()]);
    monitor.info("worker has stopped");
  }
  let stopped: Promise<void> | undefined;
  let settle: (result: Promise<void>) => void;
  const done = new Promise<void>((resolve) => (settle = resolve));
  return {
    done,
    stop(reason) {
      stopped ??= stop(reason);
      settle(stopped);
      return stopped;
    },
  };
}

/** The plugins of every worker. The logs come first, so that they are torn down last and save all that was said. */
export function builtInPlugins(
  options: Pick<WorkerOptions, "maxArtifactBytes" | "maxLogBytes" | "maxTaskRunTimeSeconds">,
  liveLogs: LiveLogServer,
): readonly Plugin[] {
  return [
    logsPlugin(liveLogs),
    failureReportPlugin(),
    notYetPlugin(),
    envPlugin(),
    artifactsPlugin(options.maxArtifactBytes ?? 50e9),
    exitStatusPlugin(),
    // After the exit status, that they are asked before it: a command that was ended did not fail by itself.
    maxLogSizePlugin(options.maxLogBytes ?? 2 ** 30),
    maxRunTimePlugin(options.maxTaskRunTimeSeconds ?? 86_400),
  ];
}

async function usableFolder(path: string): Promise<string> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`the worker cannot use its folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
  return folder;
}
