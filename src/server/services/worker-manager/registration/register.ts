// registerWorker and reregisterWorker.
import type { BodyOf, ReplyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { SelfConfig } from "../../../../api/worker-manager/provider-configs.ts";
import type { Granted, IdentityProof, RegisterRequest } from "../../../../api/worker-manager/registration.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { equalInConstantTime } from "../../../core/constant-time.ts";
import { parseJson } from "../../../core/json.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { readPool, type PoolRow } from "../pools/store/pools.ts";
import { unknownPool } from "../pools/unknown-pool.ts";
import { providers, SELF, STATIC } from "../providers/providers.ts";
import { recordStartup } from "../records.ts";
import type { WorkerKey } from "../workers/store/workers.ts";
import { unknownWorker } from "../workers/worker-reply.ts";
import { digestOf, grant } from "./credentials.ts";
import { expiredWorker } from "./refusals.ts";
import { checkPoolSecret, registerSelfWorker } from "./register-self.ts";
import { checkStaticSecret, requireRunning } from "./register-static.ts";
import { readRegistration, writeRegistration, type Registration } from "./store.ts";

const { endpoints } = workerManagerApi;
type Registered = ReplyOf<typeof endpoints.registerWorker>;

export const registrationUseCases = (ctx: WorkerManagerContext) => ({
  registerWorker: registerWorker(ctx),
  reregisterWorker: reregisterWorker(ctx),
});

const registrationOf = (ctx: WorkerManagerContext, granted: Granted): Registration => ({
  at: timestamp(ctx),
  until: granted.expires,
  digest: digestOf(granted.secret),
});

const registerWorker =
  (ctx: WorkerManagerContext) =>
  async (request: RegisterRequest): Promise<Registered> => {
    const { workerPoolId, providerId, workerGroup, workerId, systemBootTime } = request;
    const worker = { workerPoolId, workerGroup, workerId };
    try {
      // First, because every caller may call this method: without a proof, replies reveal no pools and no workers.
      await checkProof(ctx, worker, providerId, request.workerIdentityProof);
      const registered = await register(ctx, worker, providerId);
      if (systemBootTime !== undefined) recordStartup(ctx, { workerPoolId, providerId }, systemBootTime);
      return registered;
    } catch (error) {
      // Callers could invent any number of pools and providers, and each would be a series.
      const isKnown = providers.some((one) => one.providerId === providerId);
      if (error instanceof ApiError && isKnown && (await readPool(ctx.db, workerPoolId)) !== undefined)
        ctx.metrics.registrationFailures.inc({ workerPoolId, providerId });
      throw error;
    }
  };

/** Registers a worker that has proved its identity. */
async function register(
  ctx: WorkerManagerContext,
  worker: WorkerKey,
  providerId: string,
): Promise<Registered> {
  const { workerPoolId } = worker;
  const pool = await readPool(ctx.db, workerPoolId);
  if (pool === undefined) throw unknownPool(workerPoolId);
  if (![pool.provider_id, ...pool.previous_provider_ids].includes(providerId))
    throw new ApiError(
      "InputError",
      `Worker provider ${providerId} is not the provider of the pool ${workerPoolId}: send ${pool.provider_id}.`,
    );
  const granted = grant(ctx, { ...worker, providerId }, pool);
  if (providerId === SELF) {
    const launchConfigId = await registerSelfWorker(ctx, worker, registrationOf(ctx, granted));
    return { ...granted, workerConfig: workerConfigOf(pool, launchConfigId) };
  }
  await requireRunning(ctx, worker);
  if ((await writeRegistration(ctx.db, { ...worker, providerId }, registrationOf(ctx, granted))) === 0)
    throw unknownWorker(worker);
  return { ...granted, workerConfig: workerConfigOf(pool, null) };
}

/** Throws unless the proof is that of such a worker. */
function checkProof(
  ctx: WorkerManagerContext,
  worker: WorkerKey,
  providerId: string,
  proof: IdentityProof,
): Promise<void> {
  if (providerId === SELF) return checkPoolSecret(ctx, worker.workerPoolId, proof);
  if (providerId === STATIC) return checkStaticSecret(ctx, worker, proof);
  throw new ApiError(
    "ResourceNotFound",
    `Provider ${providerId} does not exist, or its workers do not register: send ${STATIC} or ${SELF}, whichever the pool has.`,
  );
}

/** Returns the config for a worker: that of the pool, and that of its launch config, which takes precedence. */
function workerConfigOf(pool: PoolRow, launchConfigId: string | null): Registered["workerConfig"] {
  // These members have the same type for all providers whose workers register.
  const { workerConfig, launchConfigs = [] } = parseJson(pool.definition).config as Partial<SelfConfig>;
  const own = launchConfigs.find((one) => one.workerManager?.launchConfigId === launchConfigId);
  return { ...workerConfig, ...own?.workerConfig };
}

const reregisterWorker =
  (ctx: WorkerManagerContext) =>
  async (
    caller: Caller,
    { secret, ...worker }: BodyOf<typeof endpoints.reregisterWorker>,
  ): Promise<Granted> => {
    caller.authorize(endpoints.reregisterWorker, worker);
    const [row, pool] = await Promise.all([
      readRegistration(ctx.db, worker),
      readPool(ctx.db, worker.workerPoolId),
    ]);
    const given = digestOf(secret);
    // One text for all of them, which reveals nothing about other workers.
    const stored = row?.secret_digest ?? undefined;
    if (
      pool === undefined ||
      row === undefined ||
      stored === undefined ||
      !equalInConstantTime(given, stored)
    )
      throw unmatched(worker);
    if (row.state !== "running")
      throw new ApiError("InputError", "worker is not running: register it again, or create another one.");
    if (row.expires.getTime() < ctx.clock.now()) throw expiredWorker();
    const of = { ...worker, providerId: row.provider_id };
    const granted = grant(ctx, of, pool);
    // Of two calls with the same secret one succeeds.
    if ((await writeRegistration(ctx.db, of, registrationOf(ctx, granted), given)) === 0)
      throw unmatched(worker);
    return granted;
  };

const unmatched = ({ workerPoolId, workerGroup, workerId }: WorkerKey): ApiError =>
  new ApiError(
    "InputError",
    `Could not generate credentials for this secret: ${workerGroup}/${workerId} of ${workerPoolId} has no registration with it. Each secret is valid once: use registerWorker to register the worker again.`,
  );
