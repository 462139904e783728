// Reads the workers of pools.
import type { QueryOf, ReplyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { ManagedWorker } from "../../../../api/worker-manager/workers.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import type { WorkerManagerContext } from "../context.ts";
import { listWorkers, readWorker, type WorkerFilter, type WorkerKey } from "./store/workers.ts";
import { unknownWorker, workerReply } from "./worker-reply.ts";

const { endpoints } = workerManagerApi;
type WorkerList = ReplyOf<typeof endpoints.listWorkersForWorkerPool>;

const PAGE = 1000;
/** Group and id of the last worker of a page. */
const WORKER_KEY = /^[\w-]{1,38}\/[\w-]{1,38}$/;

export const readWorkerUseCases = ({ db }: Pick<WorkerManagerContext, "db">) => {
  async function pageOfWorkers(
    workerPoolId: string,
    filter: WorkerFilter,
    query: PageQuery,
  ): Promise<WorkerList> {
    const { after, limit } = decodePage(query, PAGE, WORKER_KEY);
    const [workerGroup = "", workerId = ""] = after.split("/");
    const read = await listWorkers(db, { workerPoolId, workerGroup, workerId }, filter, limit + 1);
    const { rows, more } = pageOf(read, limit, (row) => `${row.worker_group}/${row.worker_id}`);
    return { workers: rows.map(workerReply), ...more };
  }

  return {
    async worker(caller: Caller, worker: WorkerKey): Promise<ManagedWorker> {
      caller.authorize(endpoints.worker, { ...worker });
      const row = await readWorker(db, worker);
      if (row === undefined) throw unknownWorker(worker);
      return workerReply(row);
    },

    async listWorkersForWorkerPool(
      caller: Caller,
      workerPoolId: string,
      { launchConfigId, state, ...page }: QueryOf<typeof endpoints.listWorkersForWorkerPool>,
    ): Promise<WorkerList> {
      caller.authorize(endpoints.listWorkersForWorkerPool, { workerPoolId });
      return pageOfWorkers(workerPoolId, { launchConfigId, state }, page);
    },

    async listWorkersForWorkerGroup(
      caller: Caller,
      { workerPoolId, workerGroup }: Pick<WorkerKey, "workerPoolId" | "workerGroup">,
      page: PageQuery,
    ): Promise<WorkerList> {
      caller.authorize(endpoints.listWorkersForWorkerGroup, { workerPoolId, workerGroup });
      return pageOfWorkers(workerPoolId, { workerGroup }, page);
    },
  };
};
