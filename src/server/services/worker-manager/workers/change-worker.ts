// createWorker, updateWorker and removeWorker.
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { ManagedWorker, WorkerRequest } from "../../../../api/worker-manager/workers.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { equalInConstantTime } from "../../../core/constant-time.ts";
import type { Caller } from "../../../core/caller.ts";
import { contextOf } from "../../../core/encryption/encrypted-column.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { readPool } from "../pools/store/pools.ts";
import { unknownPool } from "../pools/unknown-pool.ts";
import { STATIC } from "../providers/providers.ts";
import { recordStopped, type RecordContext } from "../records.ts";
import { stopWorker } from "./store/stop-workers.ts";
import {
  insertStaticWorker,
  keyText,
  readStaticSecret,
  readWorker,
  staticSecrets,
  updateStaticWorker,
  type WorkerKey,
} from "./store/workers.ts";
import { unknownWorker, workerReply } from "./worker-reply.ts";

const { endpoints } = workerManagerApi;
type Context = Pick<WorkerManagerContext, "db" | "clock" | "keyRing" | "config">;

const MAX_CAPACITY = 1_000_000;

export const changeWorkerUseCases = (ctx: Context & RecordContext) => ({
  createWorker: createWorker(ctx),
  updateWorker: updateWorker(ctx),
  removeWorker: removeWorker(ctx),
});

function requireCapacity(capacity: number): number {
  if (capacity > MAX_CAPACITY)
    throw new ApiError("InputError", `capacity is ${capacity}: it must be at most ${MAX_CAPACITY}.`);
  return capacity;
}

const notSupported = (method: string, providerId: string): ApiError =>
  new ApiError(
    "InputError",
    `${method} is not supported for this provider: the worker pool has the provider ${providerId}, and only workers of the provider ${STATIC} are created and updated. Use registerWorker instead.`,
  );

const createWorker =
  (ctx: Context) =>
  async (caller: Caller, worker: WorkerKey, request: WorkerRequest): Promise<ManagedWorker> => {
    const { db, keyRing } = ctx;
    caller.authorize(endpoints.createWorker, { ...worker });
    const pool = await readPool(db, worker.workerPoolId);
    if (pool === undefined) throw unknownPool(worker.workerPoolId);
    const expires = new Date(request.expires);
    if (expires.getTime() <= ctx.clock.now())
      throw new ApiError("InputError", `expires is ${request.expires}: it must be in the future.`);
    if (pool.provider_id !== STATIC) throw notSupported("createWorker", pool.provider_id);
    const secret = request.providerInfo?.staticSecret;
    if (secret === undefined)
      throw new ApiError(
        "InputError",
        "providerInfo.staticSecret is missing: send the secret with which the worker will register.",
      );
    const capacity = requireCapacity(request.capacity ?? 1);
    const inserted = await keyRing.writing(async () => {
      const staticSecret = await keyRing.encrypt(secret, contextOf(staticSecrets, keyText(worker)));
      return insertStaticWorker(db, worker, {
        capacity,
        expires: expires.toISOString(),
        staticSecret,
        at: timestamp(ctx),
      });
    });
    if (inserted !== undefined) return workerReply(inserted);
    const existing = await readWorker(db, worker);
    if (existing?.provider_id === STATIC && (await hasSecret(ctx, worker, secret)))
      return workerReply(existing);
    throw new ApiError(
      "InputError",
      "worker already exists, with another secret or provider. Use another workerId, or updateWorker.",
    );
  };

/** Reports whether this is the secret of the worker. */
export async function hasSecret(
  { db, keyRing }: Pick<Context, "db" | "keyRing">,
  worker: WorkerKey,
  secret: string,
): Promise<boolean> {
  const stored = await readStaticSecret(db, worker);
  if (stored === null) return false;
  return equalInConstantTime(
    secret,
    await keyRing.decrypt(stored, contextOf(staticSecrets, keyText(worker))),
  );
}

const updateWorker =
  (ctx: Context) =>
  async (caller: Caller, worker: WorkerKey, request: WorkerRequest): Promise<ManagedWorker> => {
    const { db, keyRing } = ctx;
    caller.authorize(endpoints.updateWorker, { ...worker });
    const existing = await readWorker(db, worker);
    if (existing === undefined) throw unknownWorker(worker);
    if (existing.provider_id !== STATIC) throw notSupported("updateWorker", existing.provider_id);
    const capacity = request.capacity === undefined ? null : requireCapacity(request.capacity);
    const secret = request.providerInfo?.staticSecret;
    const change = { capacity, expires: new Date(request.expires).toISOString(), at: timestamp(ctx) };
    const row = await keyRing.writing(async () => {
      const staticSecret =
        secret === undefined
          ? null
          : await keyRing.encrypt(secret, contextOf(staticSecrets, keyText(worker)));
      return updateStaticWorker(db, worker, { ...change, staticSecret });
    });
    if (row === undefined) throw unknownWorker(worker);
    return workerReply(row);
  };

const removeWorker =
  (ctx: Context & RecordContext) =>
  async (caller: Caller, worker: WorkerKey): Promise<void> => {
    caller.authorize(endpoints.removeWorker, { ...worker });
    const stop = { at: timestamp(ctx), forgetAt: timestamp(ctx, ctx.config.stoppedRetention) };
    const stopped = await stopWorker(ctx.db, worker, stop);
    recordStopped(ctx, stopped);
    if (stopped.length > 0) return;
    if ((await readWorker(ctx.db, worker)) === undefined) throw unknownWorker(worker);
  };
