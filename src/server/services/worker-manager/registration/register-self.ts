// Registration of workers of the provider `self`: a secret of the pool is enough, and creates the worker.
import type { SelfConfig } from "../../../../api/worker-manager/provider-configs.ts";
import type { IdentityProof } from "../../../../api/worker-manager/registration.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { equalInConstantTime } from "../../../core/constant-time.ts";
import type { Queryable } from "../../../core/db.ts";
import { contextOf } from "../../../core/encryption/encrypted-column.ts";
import { parseJson } from "../../../core/json.ts";
import type { WorkerManagerContext } from "../context.ts";
import { lockPool, type PoolRow } from "../pools/store/pools.ts";
import { poolSecrets, readSecrets } from "../pools/store/secrets.ts";
import { unknownPool } from "../pools/unknown-pool.ts";
import { SELF } from "../providers/providers.ts";
import { record, recordStopped, type RecordContext } from "../records.ts";
import { usedCapacity } from "../workers/store/capacity.ts";
import { stopSilentWorkers } from "../workers/store/stop-workers.ts";
import { readWorker, type WorkerKey } from "../workers/store/workers.ts";
import { startSelfWorker, writeRegistration, type Registration } from "./store.ts";
import { otherProvider } from "./refusals.ts";

type Context = Pick<WorkerManagerContext, "db" | "config"> & RecordContext;

/** Throws unless there is such a pool and the proof has one of its secrets, with the same error in both cases. */
export async function checkPoolSecret(
  { db, keyRing }: Pick<WorkerManagerContext, "db" | "keyRing">,
  workerPoolId: string,
  proof: IdentityProof,
): Promise<void> {
  if (!("poolSecret" in proof))
    throw new ApiError(
      "InputError",
      "missing poolSecret in workerIdentityProof: send a secret that setWorkerPoolSecrets has set for the pool.",
    );
  const row = await readSecrets(db, workerPoolId);
  // What was encrypted is a list of secrets.
  const secrets =
    row === undefined
      ? []
      : (JSON.parse(await keyRing.decrypt(row.secrets, contextOf(poolSecrets, workerPoolId))) as string[]);
  // Each is compared, so that the duration does not reveal which one was right.
  const matches = secrets.filter((secret) => equalInConstantTime(secret, proof.poolSecret));
  if (matches.length === 0)
    throw new ApiError(
      "InputError",
      "bad poolSecret in workerIdentityProof: send a secret that setWorkerPoolSecrets has set for the pool, and its workerPoolId.",
    );
}

/**
 * Registers a worker that has proved its identity, and creates it if it does not run. Returns the id of its launch config, if
 * it has one.
 */
export async function registerSelfWorker(
  ctx: Context,
  worker: WorkerKey,
  registration: Registration,
): Promise<string | null> {
  const { db, config } = ctx;
  const of = { ...worker, providerId: SELF };
  // A running worker has its place already.
  if ((await writeRegistration(db, of, registration)) > 0) return launchConfigOf(db, worker);
  const { stopped, started, launchConfigId } = await db.tx(async (tx) => {
    const pool = await lockPool(tx, worker.workerPoolId);
    if (pool === undefined) throw unknownPool(worker.workerPoolId);
    if ((await writeRegistration(tx, of, registration)) > 0)
      return { stopped: [], started: false, launchConfigId: await launchConfigOf(tx, worker) };
    if (pool.provider_id !== SELF)
      throw new ApiError(
        "InputError",
        `The pool ${worker.workerPoolId} takes no new workers of the provider ${SELF}: its provider is ${pool.provider_id} now. End this worker.`,
      );
    // Its earlier runs end before it gets new ones.
    const { at } = registration;
    const forgetAt = new Date(Date.parse(at) + config.stoppedRetention).toISOString();
    const earlier = await stopSilentWorkers(tx, { at, forgetAt }, 1, worker);
    const free = await freePlace(tx, worker.workerPoolId, pool);
    if ((await startSelfWorker(tx, worker, registration, free)) === 0) throw otherProvider(worker, SELF);
    return { stopped: earlier, started: true, launchConfigId: free };
  });
  recordStopped(ctx, stopped);
  const { workerPoolId, workerId } = worker;
  if (started) record(ctx, "worker-running", { workerPoolId, providerId: SELF, workerId });
  return launchConfigId;
}

const launchConfigOf = async (db: Queryable, worker: WorkerKey): Promise<string | null> =>
  (await readWorker(db, worker))?.launch_config_id ?? null;

/** Returns a launch config that has room, or null if the pool has none. Throws if the pool is full. */
async function freePlace(tx: Queryable, workerPoolId: string, pool: PoolRow): Promise<string | null> {
  // A pool of the provider `self` has a config that matches its schema.
  const { maxCapacity, launchConfigs = [] } = parseJson(pool.definition).config as SelfConfig;
  const used = await usedCapacity(tx, workerPoolId);
  const total = used.reduce((sum, { capacity }) => sum + capacity, 0);
  const full = (what: string, limit: number): ApiError =>
    new ApiError(
      "RequestConflict",
      `${what} of the pool ${workerPoolId} has ${limit} workers already, which is its maxCapacity. Remove a worker, wait until one expires, or raise maxCapacity.`,
    );
  if (total >= maxCapacity) throw full("Every place", maxCapacity);
  if (launchConfigs.length === 0) return null;
  const taken = new Map(used.map((row) => [row.launch_config_id, row.capacity]));
  const free = launchConfigs.find(({ workerManager = {} }) => {
    const { launchConfigId = "", maxCapacity: most = Infinity } = workerManager;
    return (taken.get(launchConfigId) ?? 0) < most;
  });
  if (free === undefined) throw full("Every launch config", total);
  return free.workerManager?.launchConfigId ?? null;
}
