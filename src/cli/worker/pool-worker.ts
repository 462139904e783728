// A worker that gets its credentials by registering with a worker pool.
import { CliError, exitStatus } from "../cli-error.ts";
import { reconfigure, type Configured, type Sources } from "../configuration.ts";
import { warnWithoutInit } from "../init-warning.ts";
import { settingOf } from "../../lib/setting.ts";
import { workerSettings, type WorkerSettings } from "../../lib/worker-settings.ts";
import type { Registration } from "../../worker/registration/registration.ts";
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
  const { config, log, membership, shutdown, io } = options;
  refuseCredentials(io.env);
  const rootUrl = await findRootUrl(io);
  warnWithoutInit(log);
  const [{ startWorker }, { takePlace }, { startRegistration }] = await Promise.all([
    import("../../worker/main.ts"),
    import("../../worker/place.ts"),
    import("../../worker/registration/registration.ts"),
  ]);
  // Before the registration: another worker with this id that is stopping ends its own registration first.
  const place = await takePlace(config.worker);
  try {
    const { workerGroup, workerId } = config.worker;
    const registration = await startRegistration({
      rootUrl,
      worker: { workerPoolId: membership.pool, workerGroup, workerId },
      providerId: config.registration.provider,
      secretFile: membership.secretFile,
      pollMs: config.registration.terminatePollInterval,
      log,
      signal: shutdown.signal,
    }).catch((error: unknown) => {
      if (shutdown.signal.aborted) return undefined;
      throw error;
    });
    if (registration === undefined) {
      shutdown.dispose();
      return statusOfStop(await shutdown.requested, true);
    }
    try {
      const settings = await settingsFrom(registration, options);
      shutdown.allow(stopLimitMs(settings));
      const { client } = registration;
      const worker = await startWorker({ ...settings, client, log, place, credentialsHint });
      void registration.ending.then(({ reason }) => worker.drain(reason));
      return await statusAfter(registration, () => statusOfWorker(worker, shutdown, io));
    } finally {
      await registration.end();
    }
  } finally {
    await place.identity.release();
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

/** Returns the exit status of a worker, which depends on why its registration has ended it. */
async function statusAfter(registration: Registration, run: () => Promise<number>): Promise<number> {
  let ending: Awaited<Registration["ending"]> | undefined;
  void registration.ending.then((end) => (ending = end));
  const status = await run();
  // oxlint-disable-next-line messages/next-step -- the registration names it
  if (ending?.error !== undefined) throw new CliError(ending.error.message, { cause: ending.error });
  return ending === undefined || status !== exitStatus.ok ? status : exitStatus.terminated;
}
