// createWorkerPool, updateWorkerPool, deleteWorkerPool and setWorkerPoolSecrets.
import type { BodyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { PoolRequest, WorkerPool } from "../../../../api/worker-manager/pools.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { actorOf } from "../../../core/audit.ts";
import type { Caller } from "../../../core/caller.ts";
import { contextOf } from "../../../core/encryption/encrypted-column.ts";
import { jsonOf } from "../../../core/json.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { WorkerManagerContext } from "../context.ts";
import { checkConfig, NULL_PROVIDER } from "../providers/providers.ts";
import { identifyLaunchConfigs, replaceLaunchConfigs } from "./launch-configs.ts";
import { poolReply } from "./read-pools.ts";
import { insertPool, lockPool, updatePool, type PoolChange } from "./store/pools.ts";
import { poolSecrets, removeSecrets, writeSecrets } from "./store/secrets.ts";
import { unknownPool } from "./unknown-pool.ts";

const { endpoints } = workerManagerApi;
type Context = Pick<WorkerManagerContext, "db" | "clock" | "keyRing">;

export const changePoolUseCases = (ctx: Context) => ({
  createWorkerPool: createWorkerPool(ctx),
  updateWorkerPool: updateWorkerPool(ctx),
  deleteWorkerPool: deleteWorkerPool(ctx),
  setWorkerPoolSecrets: setWorkerPoolSecrets(ctx),
});

/** Checks a request, and returns the change with its launch configs. */
function prepare(ctx: Context, caller: Caller, workerPoolId: string, request: PoolRequest) {
  const { providerId, description, owner, emailOnError } = request;
  checkConfig(providerId, request.config);
  const { config, launchConfigs } = identifyLaunchConfigs(providerId, request.config);
  const change: PoolChange = {
    workerPoolId,
    providerId,
    definition: jsonOf({ description, config, owner, emailOnError }),
    clientId: actorOf(caller),
    at: timestamp(ctx),
  };
  return { change, launchConfigs };
}

const createWorkerPool =
  (ctx: Context) =>
  async (caller: Caller, workerPoolId: string, request: PoolRequest): Promise<WorkerPool> => {
    caller.authorize(endpoints.createWorkerPool, { workerPoolId, providerId: request.providerId });
    const { change, launchConfigs } = prepare(ctx, caller, workerPoolId, request);
    const row = await ctx.db.tx(async (tx) => {
      const inserted = await insertPool(tx, change);
      if (inserted === undefined)
        throw new ApiError(
          "RequestConflict",
          `Worker pool ${workerPoolId} already exists. Change it with updateWorkerPool; a deleted one can be created again when its last worker is gone.`,
        );
      await replaceLaunchConfigs(tx, change, launchConfigs);
      return inserted;
    });
    return poolReply(ctx.db, row);
  };

const updateWorkerPool =
  (ctx: Context) =>
  async (
    caller: Caller,
    workerPoolId: string,
    request: BodyOf<typeof endpoints.updateWorkerPool>,
  ): Promise<WorkerPool> => {
    caller.authorize(endpoints.updateWorkerPool, { workerPoolId, providerId: request.providerId });
    if (request.workerPoolId !== undefined && request.workerPoolId !== workerPoolId)
      throw new ApiError(
        "InputError",
        `Incorrect workerPoolId ${request.workerPoolId} in the body: it must be ${workerPoolId}, as in the URL, or absent.`,
      );
    const { change, launchConfigs } = prepare(ctx, caller, workerPoolId, request);
    const row = await ctx.db.tx(async (tx) => {
      const before = await lockPool(tx, workerPoolId);
      if (before === undefined) throw unknownPool(workerPoolId);
      const updated = await updatePool(tx, change, before, "updated");
      await replaceLaunchConfigs(tx, change, launchConfigs);
      return updated ?? before;
    });
    return poolReply(ctx.db, row);
  };

const deleteWorkerPool =
  (ctx: Context) =>
  async (caller: Caller, workerPoolId: string): Promise<WorkerPool> => {
    caller.authorize(endpoints.deleteWorkerPool, { workerPoolId });
    const row = await ctx.db.tx(async (tx) => {
      const before = await lockPool(tx, workerPoolId);
      if (before === undefined) throw unknownPool(workerPoolId);
      const { definition } = before;
      const clientId = actorOf(caller);
      const change = {
        workerPoolId,
        providerId: NULL_PROVIDER,
        definition,
        clientId,
        at: timestamp(ctx),
      };
      const deleted = await updatePool(tx, change, before, "deleted");
      await replaceLaunchConfigs(tx, change, []);
      return deleted ?? before;
    });
    return poolReply(ctx.db, row);
  };

const setWorkerPoolSecrets =
  ({ db, keyRing }: Context) =>
  async (
    caller: Caller,
    workerPoolId: string,
    { secrets }: BodyOf<typeof endpoints.setWorkerPoolSecrets>,
  ): Promise<void> => {
    caller.authorize(endpoints.setWorkerPoolSecrets, { workerPoolId });
    const change = { workerPoolId, clientId: actorOf(caller) };
    const written =
      secrets.length === 0
        ? await removeSecrets(db, change)
        : await keyRing.writing(async () => {
            const stored = await keyRing.encrypt(
              JSON.stringify(secrets),
              contextOf(poolSecrets, workerPoolId),
            );
            return writeSecrets(db, change, stored);
          });
    if (written === 0) throw unknownPool(workerPoolId);
  };
