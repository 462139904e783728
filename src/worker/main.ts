// Composes the worker from claim loop, engine, plugins and live logs, and stops it.
import type { ClaimedTask } from "../api/queue/claim.ts";
import type { EventListening } from "../client/connect.ts";
import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import { workerSettings } from "../lib/worker-settings.ts";
import type { WorkerSettings } from "../lib/worker-settings.ts";
import type { Engine } from "./engine.ts";
import { nativeEngine } from "./engines/native/engine.ts";
import { allowsNamespaces } from "./engines/native/namespace.ts";
import type { TaskUser } from "./engines/native/task-user.ts";
import { watchExceptions } from "./exception-watch.ts";
import { holdClaims } from "./held-claims.ts";
import { startLiveLogServer } from "./live-log-server.ts";
import type { LiveLogServer } from "./live-log-server.ts";
import { startClaimLoop } from "./loop.ts";
import type { ObjectClient } from "../client/artifacts/upload-object.ts";
import { composePayload } from "./payload-schema.ts";
import { ownAddress } from "./own-address.ts";
import { takePlace } from "./place.ts";
import type { Place } from "./place.ts";
import type { Plugin } from "./plugin.ts";
import { artifactsPlugin } from "./plugins/artifacts/plugin.ts";
import { envPlugin } from "./plugins/env.ts";
import { exitStatusPlugin } from "./plugins/exit-status.ts";
import { failureReportPlugin } from "./plugins/failure-report.ts";
import { logsPlugin } from "./plugins/logs.ts";
import { maxLogSizePlugin } from "./plugins/max-log-size.ts";
import { maxRunTimePlugin } from "./plugins/max-run-time.ts";
import { mountsPlugin } from "./plugins/mounts/plugin.ts";
import { notYetPlugin } from "./plugins/not-yet.ts";
import { refusalOf } from "./queue-client.ts";
import type { QueueClient } from "./queue-client.ts";
import { startRunGuard } from "./run-guard.ts";
import { cleanUp } from "./task-dir.ts";
import { startTaskRun } from "./task-run.ts";
import type { TaskRun } from "./task-run.ts";
import { usingWorkDir } from "./work-dir.ts";
import { logMonitor } from "./worker-monitor.ts";
import type { Logger, WorkerMonitor } from "./worker-monitor.ts";

/** The server as the worker calls it, with the worker's own credentials. The client of `connect` implements it. */
export interface WorkerClient {
  readonly rootUrl: string;
  readonly queue: QueueClient;
  readonly object: ObjectClient;
  readonly events: EventListening;
}

/** The settings of the worker, and the parts that its caller provides. */
export interface WorkerOptions extends WorkerSettings {
  readonly client: WorkerClient;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Default: the native engine, with the user and the namespaces that settings and machine allow. */
  readonly engine?: Engine;
  /** Default: one that the worker takes when it starts, and leaves when it has stopped. */
  readonly place?: Place;
  /** What to check if the server does not accept the credentials. Default: the variables with the credentials. */
  readonly credentialsHint?: string;
  /** Additional plugins, after the built-in ones. */
  readonly plugins?: readonly Plugin[];
}

export interface Worker {
  /** Stops claiming, lets tasks run for `stopGrace`, then ends them as `worker-shutdown`. Idempotent. */
  stop(reason: string): Promise<void>;
  /** Stops claiming, lets tasks run to their end, then stops. A `stop` meanwhile limits that to `stopGrace`. Idempotent. */
  drain(reason: string): Promise<void>;
  /** Resolves when the worker has stopped: to the reason, if it did so because the server refuses its credentials. */
  readonly done: Promise<Error | undefined>;
}

/** Starts a worker. Rejects if its folder cannot be used, its id is in use or two of its parts are incompatible. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  if (options.place !== undefined) return startAt(options, options.place, () => Promise.resolve());
  const place = await takePlace(options);
  return startAt(options, place, () => place.identity.release()).catch(async (error: unknown) => {
    await place.identity.release();
    throw error;
  });
}

async function startAt(
  options: WorkerOptions,
  { user, workDir, identity }: Place,
  leave: () => Promise<void>,
): Promise<Worker> {
  const { clock = systemClock, capacity, taskQueueId, workerGroup, workerId } = options;
  const { rootUrl, queue, object: objects, events } = options.client;
  const monitor = logMonitor(options.log, { taskQueueId, workerGroup, workerId });
  const engine = options.engine ?? (await defaultEngine(options, user, monitor));
  await cleanUp(workDir, engine, monitor);
  // What may fail comes before what runs in the background.
  const { liveLogHost: host = await ownAddress(rootUrl), liveLogPort: port, liveLogUrl: publicUrl } = options;
  const liveLogs = await startLiveLogServer({ host, port, publicUrl });
  const plugins = [...builtInPlugins(options, liveLogs), ...(options.plugins ?? [])];
  const payloads = composePayload([engine, ...plugins]);
  const claims = await usingWorkDir(workDir.path, () =>
    holdClaims({ workDir: workDir.path, queue, clock, monitor }),
  );
  const guard = startRunGuard();
  const pollMs = options.cancelPollInterval;
  const watch = watchExceptions({ events, workerGroup, workerId, clock, monitor, pollMs });
  const { arch, platform, version } = process;
  const description = {
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
      const run = startRun(claim, receivedAt);
      if (run === undefined) return;
      runs.add(run);
      guard.begin(run);
      const resolution = await run.done;
      guard.end(run);
      // What was not reported is reported by the next worker, but not a run that another one may have.
      if (resolution.kind === "none") await claims.release(run);
      runs.delete(run);
    },
    onRefused(error) {
      failure = refusedError(error, options);
      monitor.error(failure.message);
      // The tasks that it has claimed have credentials of their own.
      void worker.drain("the server refuses its credentials");
    },
  });
  function startRun(claim: ClaimedTask, receivedAt: number): TaskRun | undefined {
    try {
      return startTaskRun({
        claim,
        receivedAt,
        queue: claims.queueFor({ taskId: claim.status.taskId, runId: claim.runId }),
        objects,
        maxPutBytes: options.maxPutSize,
        watch,
        clock,
        monitor,
        rootUrl,
        workDir,
        description,
        engine,
        plugins,
        payloads,
        hookLimitMs: options.hookLimit,
        shutdownLimitMs: options.shutdownLimit,
      });
    } catch (error) {
      // An invalid claim, for example with malformed credentials, must not crash the worker.
      monitor.reportError(error, { taskId: claim.status.taskId, runId: claim.runId });
      return undefined;
    }
  }
  monitor.info("worker waits for tasks", { settings: { ...settingsOf(options), workDir: workDir.path } });

  const allDone = (): Promise<unknown> => Promise.all([...runs].map((run) => run.done));
  /** Ends the wait for running tasks. */
  let cutShort = (): void => undefined;
  const graceEnd = new Promise<void>((resolve) => (cutShort = resolve));
  async function end(reason: string): Promise<void> {
    monitor.info("worker is stopping", { reason, running: runs.size });
    await identity.stopping();
    await loop.stop();
    await Promise.race([allDone(), graceEnd]);
    for (const run of runs) run.abort("worker-shutdown");
    await allDone();
    claims.stop();
    guard.close();
    await Promise.all([watch.stop(), liveLogs.close(), leave()]);
    monitor.info("worker has stopped");
  }
  let ended: Promise<void> | undefined;
  let failure: Error | undefined;
  let settle: (result: Promise<Error | undefined>) => void;
  const done = new Promise<Error | undefined>((resolve) => (settle = resolve));
  function drain(reason: string): Promise<void> {
    ended ??= end(reason);
    settle(ended.then(() => failure));
    return ended;
  }
  let cancelGrace: (() => void) | undefined;
  const worker: Worker = {
    done,
    drain,
    stop(reason) {
      cancelGrace ??= clock.after(options.stopGrace, cutShort);
      return drain(reason).finally(cancelGrace);
    },
  };
  return worker;
}

/** Returns the plugins of every worker. The logs come first, so that they are torn down last and saved completely. */
export function builtInPlugins(
  settings: Pick<WorkerSettings, "maxArtifactSize" | "maxLogSize" | "maxTaskRunTime">,
  liveLogs: LiveLogServer,
): readonly Plugin[] {
  return [
    logsPlugin(liveLogs),
    failureReportPlugin(),
    notYetPlugin(),
    envPlugin(),
    mountsPlugin(settings.maxArtifactSize),
    artifactsPlugin(settings.maxArtifactSize),
    exitStatusPlugin(),
    // Listed after exit-status so that their verdicts come first (the stop is in reverse): a command that they ended did not
    // fail by itself.
    maxLogSizePlugin(settings.maxLogSize),
    maxRunTimePlugin(Math.floor(settings.maxTaskRunTime / 1000)),
  ];
}

/** Returns the error of a worker whose credentials the server refuses. */
function refusedError(error: Error, options: WorkerOptions): Error {
  const { taskQueueId, workerGroup, workerId, client } = options;
  const { credentialsHint = "Check TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN." } = options;
  const scopes = [`queue:claim-work:${taskQueueId}`, `queue:worker-id:${workerGroup}/${workerId}`];
  const [reason] = error.message.split("\n", 1);
  const text =
    refusalOf(error) === 401
      ? `${client.rootUrl} does not accept the credentials of this worker: ${reason?.replace(/\.$/, "")}. ${credentialsHint}`
      : `${client.rootUrl} does not let these credentials claim tasks of ${taskQueueId} as ${workerGroup}/${workerId}. They need the scopes ${scopes.join(" and ")}.`;
  return new Error(text, { cause: error });
}

/** Returns the settings without the other options. */
function settingsOf(options: WorkerSettings): Partial<WorkerSettings> {
  const names = Object.keys(workerSettings.properties);
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

async function defaultEngine(
  { taskNamespaces, taskVariables }: WorkerSettings,
  user: TaskUser,
  monitor: WorkerMonitor,
): Promise<Engine> {
  const namespaces = taskNamespaces === "auto" && (await allowsNamespaces(user));
  if (!namespaces)
    monitor.info("the processes of tasks have no namespace: a process that hides may outlive its task");
  if (!user.separate)
    monitor.warn(
      `tasks run as the worker's own user (${user.name}) and can read its files, also the secrets of worker and server: run only ` +
        "tasks that you trust, or start the worker as root, which runs them as worker.taskUser",
    );
  return nativeEngine({
    environment: process.env,
    variables: taskVariables?.split(",") ?? [],
    user,
    namespaces,
  });
}
