// shouldWorkerTerminate: whether a worker should finish its tasks and exit.
import type { ReplyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { SelfConfig } from "../../../../api/worker-manager/provider-configs.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import type { WorkerManagerContext } from "../context.ts";
import { isArchived } from "../pools/store/launch-configs.ts";
import { readPool } from "../pools/store/pools.ts";
import { NULL_PROVIDER, SELF } from "../providers/providers.ts";
import { reader } from "./queue-workers.ts";
import { capacityBefore } from "./store/capacity.ts";
import { readWorker, type WorkerKey, type WorkerRow } from "./store/workers.ts";
import { unknownWorker } from "./worker-reply.ts";

const { endpoints } = workerManagerApi;
type Context = Pick<WorkerManagerContext, "db" | "queue" | "issuer" | "clock">;

export const shouldWorkerTerminate =
  (ctx: Context) =>
  async (caller: Caller, worker: WorkerKey): Promise<ReplyOf<typeof endpoints.shouldWorkerTerminate>> => {
    caller.authorize(endpoints.shouldWorkerTerminate, { ...worker });
    const row = await readWorker(ctx.db, worker);
    if (row === undefined) throw unknownWorker(worker);
    const reason = await reasonToTerminate(ctx, worker, row);
    return { terminate: reason !== undefined, reason: reason ?? "none" };
  };

async function reasonToTerminate(
  ctx: Context,
  worker: WorkerKey,
  row: WorkerRow,
): Promise<string | undefined> {
  const pool = await readPool(ctx.db, worker.workerPoolId);
  if (pool === undefined || pool.provider_id === NULL_PROVIDER) return "worker pool deleted";
  if (await isQuarantined(ctx, worker)) return "worker quarantined";
  if (row.provider_id !== SELF) return undefined;
  if (pool.provider_id !== SELF) return "worker pool has another provider";
  if (row.state !== "running") return "worker removed";
  const { launch_config_id: id } = row;
  if (id !== null && (await isArchived(ctx.db, worker.workerPoolId, id))) return "launch config archived";
  // A pool of the provider `self` has a config that matches its schema.
  const { maxCapacity } = parseJson(pool.definition).config as SelfConfig;
  const before = await capacityBefore(ctx.db, worker, row.created);
  return before + row.capacity > maxCapacity ? "over capacity" : undefined;
}

async function isQuarantined(
  ctx: Context,
  { workerPoolId, workerGroup, workerId }: WorkerKey,
): Promise<boolean> {
  const key = { taskQueueId: workerPoolId, workerGroup, workerId };
  const scope = `queue:get-worker:${workerPoolId}/${workerGroup}/${workerId}`;
  try {
    const { quarantineUntil } = await ctx.queue.getWorker(reader(ctx, scope), key);
    return quarantineUntil !== undefined && Date.parse(quarantineUntil) > ctx.clock.now();
  } catch (error) {
    // The worker has not requested work yet.
    if (error instanceof ApiError && error.code === "ResourceNotFound") return false;
    throw error;
  }
}
