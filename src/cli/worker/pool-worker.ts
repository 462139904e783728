// A worker that gets its credentials by registering with a worker pool.
import { CliError, exitStatus } from "../cli-error.ts";
import { reconfigure, type Configured, type Sources } from "../configuration.ts";
import { warnWithoutInit } from "../init-warning.ts";
import { settingOf } from "../../lib/setting.ts";
import { workerSettings, type WorkerSettings } from "../../lib/worker-settings.ts";
import type { Place } from "../../worker/place.ts";
import type { EndOfRegistration, Registration } from "../../worker/registration/registration.ts";
import type { Io } from "../io.ts";
import { stopLimitMs } from "../local-worker.ts";
import { statusOfStop, type StopRequest } from "../stop-request.ts";
import { findRootUrl } from "../target.ts";
import { readPoolConfig } from "./pool-config.ts";
import { statusOfWorker } from "./status-of-worker.ts";

export interface Membership {
  readonly pool: string;
  readonly secretFile: string;
}

export interface PoolWorkerOptions extends Configured {
  /** Where the configuration came from. The pool may change a part of it. */
  readonly sources: Sources;
  readonly membership: Membership;
  readonly shutdown: StopRequest;
  readonly io: Io;
}

type Config = Configured["config"];

/** Returns the pool of the worker, or undefined if it has none. Throws a `CliError` for settings that contradict each other. */
export function membershipOf({ registration, worker }: Config): Membership | undefined {
  const { pool, secretFile } = registration;
  if (pool === undefined && secretFile === undefined) return undefined;
  if (pool === undefined)
    throw new CliError(
      "--secret-file (registration.secretFile) needs --pool POOL (registration.pool): the worker pool of the secret",
    );
  if (secretFile === undefined)
    throw new CliError(
      "--pool (registration.pool) needs --secret-file FILE (registration.secretFile): a file with a secret of the pool, which only the worker's user can read",
    );
  const { taskQueueId } = worker;
  if (taskQueueId !== pool && taskQueueId !== settingOf(workerSettings.properties.taskQueueId).default)
    throw new CliError(
      `--pool ${pool} and the task queue ${taskQueueId} contradict each other: a worker serves the queue with the id of its pool. Omit --task-queue (worker.taskQueueId).`,
    );
  return { pool, secretFile };
}

/** Registers a worker, runs it until it ends, and returns the exit status. */
export async function runPoolWorker(options: PoolWorkerOptions): Promise<number> {
  const { config, log, io, shutdown } = options;
  refuseCredentials(io.env);
  const rootUrl = await findRootUrl(io);
  warnWithoutInit(log);
  const { takePlace } = await import("../../worker/place.ts");
  // Before the registration: another worker with this id that is stopping ends its own registration first.
  const place = await takePlace({ ...config.worker, log });
  try {
    const registration = await registerUnlessStopped(options, rootUrl);
    if (registration !== undefined) return await runRegistered(registration, place, options);
    shutdown.dispose();
    return statusOfStop(await shutdown.requested, true);
  } finally {
    await place.identity.release();
  }
}

/** Registers the worker. Resolves to undefined if it is stopped before. */
async function registerUnlessStopped(
  { config, log, membership, shutdown }: PoolWorkerOptions,
  rootUrl: string,
): Promise<Registration | undefined> {
  const { startRegistration } = await import("../../worker/registration/registration.ts");
  const { workerGroup, workerId } = config.worker;
  try {
    return await startRegistration({
      rootUrl,
      worker: { workerPoolId: membership.pool, workerGroup, workerId },
      providerId: config.registration.provider,
      secretFile: membership.secretFile,
      pollMs: config.registration.terminatePollInterval,
      log,
      signal: shutdown.signal,
    });
  } catch (error) {
    if (shutdown.signal.aborted) return undefined;
    throw error;
  }
}

/** Runs the worker until it ends, and then ends its registration. */
async function runRegistered(
  registration: Registration,
  place: Place,
  options: PoolWorkerOptions,
): Promise<number> {
  const { log, shutdown, io } = options;
  const { client, ending } = registration;
  try {
    const settings = await settingsFrom(registration, options);
    shutdown.allow(stopLimitMs(settings));
    const { startWorker } = await import("../../worker/main.ts");
    const worker = await startWorker({ ...settings, client, log, place, credentialsHint });
    let end: EndOfRegistration | undefined;
    void ending.then((why) => {
      end = why;
      return worker.drain(why.reason);
    });
    const status = await statusOfWorker(worker, shutdown, io);
    return statusAfter(end, status);
  } finally {
    await registration.end();
  }
}

const credentialsHint = "The worker has just got them: check the clocks of this machine and of the server.";

/** Throws if the environment has credentials, which a worker of a pool would not use. */
function refuseCredentials(env: Io["env"]): void {
  const given = ["TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN"].find((name) => env[name]);
  if (given !== undefined)
    throw new CliError(
      `--pool gets credentials from the worker pool, but ${given} is set too: unset TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, or omit --pool`,
    );
}

/** Returns the settings of the worker, with those that the pool changes. */
async function settingsFrom(
  { workerConfig }: Registration,
  { config, log, sources, membership: { pool } }: PoolWorkerOptions,
): Promise<WorkerSettings> {
  const { flags, ignored } = readPoolConfig(workerConfig, pool);
  if (ignored.length > 0)
    log.warn({ members: ignored }, "members of the pool's workerConfig that have no effect on this worker");
  const changed = { ...sources, flags: [...(sources.flags ?? []), ...flags] };
  const { worker } = flags.length === 0 ? config : await reconfigure(changed);
  return { ...worker, taskQueueId: pool };
}

/** Returns the exit status of a worker that its registration has ended, or else the given one. */
function statusAfter(end: EndOfRegistration | undefined, status: number): number {
  // oxlint-disable-next-line messages/next-step -- the registration names it
  if (end?.error !== undefined) throw new CliError(end.error.message, { cause: end.error });
  return end === undefined || status !== exitStatus.ok ? status : exitStatus.terminated;
}
