// getWorker and listWorkers: what the queue has recorded about workers, joined with the workers of pools.
import type { QueryOf, ReplyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { JoinedWorker } from "../../../../api/worker-manager/workers.ts";
import { compileScopes } from "../../../../lib/scopes/scope-set.ts";
import { callerWith, type Caller } from "../../../core/caller.ts";
import type { WorkerManagerContext } from "../context.ts";
import { readWorker, readWorkers, type WorkerKey, type WorkerRow } from "./store/workers.ts";

const { endpoints } = workerManagerApi;
type Context = Pick<WorkerManagerContext, "db" | "queue" | "issuer">;

/** Returns the members of a reply that come from the worker of a pool, if there is one. */
const managed = (row: WorkerRow | undefined) => ({
  state: row?.state ?? ("standalone" as const),
  capacity: row?.capacity ?? 0,
  providerId: row?.provider_id ?? "none",
  ...(row !== undefined && row.launch_config_id !== null && { launchConfigId: row.launch_config_id }),
});

/** Returns a caller that may only read this of the queue. Callers of worker-manager have scopes for its methods, not for those of the queue. */
export const reader = ({ issuer }: Pick<Context, "issuer">, scope: string): Caller =>
  callerWith({ clientId: issuer.clientId, scopes: compileScopes([scope]) });

const partsOf = (workerPoolId: string) => {
  const [provisionerId = "", workerType = ""] = workerPoolId.split("/");
  return { provisionerId, workerType };
};

export const queueWorkerUseCases = (ctx: Context) => ({
  async getWorker(caller: Caller, worker: WorkerKey): Promise<JoinedWorker> {
    const { workerPoolId, workerGroup, workerId } = worker;
    const parts = partsOf(workerPoolId);
    caller.authorize(endpoints.getWorker, { ...parts, workerGroup, workerId });
    const scope = `queue:get-worker:${workerPoolId}/${workerGroup}/${workerId}`;
    const key = { taskQueueId: workerPoolId, workerGroup, workerId };
    const [{ taskQueueId: _, actions: __, ...seen }, row] = await Promise.all([
      ctx.queue.getWorker(reader(ctx, scope), key),
      readWorker(ctx.db, worker),
    ]);
    return { ...seen, workerPoolId, ...managed(row) };
  },

  async listWorkers(
    caller: Caller,
    workerPoolId: string,
    { launchConfigId, workerState, quarantined, ...page }: QueryOf<typeof endpoints.listWorkers>,
  ): Promise<ReplyOf<typeof endpoints.listWorkers>> {
    caller.authorize(endpoints.listWorkers, partsOf(workerPoolId));
    const seen = await ctx.queue.listWorkers(
      reader(ctx, `queue:list-workers:${workerPoolId}`),
      workerPoolId,
      { ...page, ...(quarantined !== undefined && { quarantined: quarantined === "true" }) },
    );
    const rows = await readWorkers(ctx.db, workerPoolId, seen.workers);
    const known = new Map(rows.map((row) => [`${row.worker_group}/${row.worker_id}`, row]));
    const workers = seen.workers
      .map((worker) => ({
        ...worker,
        workerPoolId,
        ...managed(known.get(`${worker.workerGroup}/${worker.workerId}`)),
      }))
      .filter(
        (worker) =>
          (workerState === undefined || worker.state === workerState) &&
          (launchConfigId === undefined || worker.launchConfigId === launchConfigId),
      );
    return { ...seen, workers };
  },
});
