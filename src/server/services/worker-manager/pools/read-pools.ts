// Reads worker pools, their launch configs and the numbers of their workers.
import type { QueryOf, ReplyOf } from "../../../../api/endpoint.ts";
import { workerManagerApi } from "../../../../api/worker-manager/index.ts";
import type { Counts, WorkerPool } from "../../../../api/worker-manager/pools.ts";
import type { Caller } from "../../../core/caller.ts";
import type { Queryable } from "../../../core/db.ts";
import { parseJson } from "../../../core/json.ts";
import { decodePage, fullPageOf, pageOf, type PageQuery } from "../../../core/pagination.ts";
import type { WorkerManagerContext } from "../context.ts";
import { providers } from "../providers/providers.ts";
import { listLaunchConfigs } from "./store/launch-configs.ts";
import {
  countByLaunchConfig,
  countWorkers,
  listPoolIds,
  listPools,
  readPool,
  type CountedRow,
  type PoolRow,
} from "./store/pools.ts";
import { unknownPool } from "./unknown-pool.ts";

const { endpoints } = workerManagerApi;
const PAGE = 1000;

const countsOf = (row: Omit<CountedRow, "worker_pool_id">): Counts => ({
  currentCapacity: row.requested_capacity + row.running_capacity + row.stopping_capacity,
  requestedCount: row.requested_count,
  runningCount: row.running_count,
  stoppingCount: row.stopping_count,
  stoppedCount: row.stopped_count,
  requestedCapacity: row.requested_capacity,
  runningCapacity: row.running_capacity,
  stoppingCapacity: row.stopping_capacity,
  stoppedCapacity: row.stopped_capacity,
});

const noCounts = countsOf({
  requested_count: 0,
  running_count: 0,
  stopping_count: 0,
  stopped_count: 0,
  requested_capacity: 0,
  running_capacity: 0,
  stopping_capacity: 0,
  stopped_capacity: 0,
});

async function countsByPool(db: Queryable, ids: readonly string[]): Promise<Map<string, Counts>> {
  const rows = await countWorkers(db, ids);
  return new Map(rows.map((row) => [row.worker_pool_id, countsOf(row)]));
}

type Rendered = Omit<PoolRow, "previous_provider_ids">;

function rendered(row: Rendered, counts: Counts): WorkerPool {
  return {
    workerPoolId: row.worker_pool_id,
    providerId: row.provider_id,
    ...parseJson(row.definition),
    created: row.created.toISOString(),
    lastModified: row.last_modified.toISOString(),
    ...counts,
  };
}

/** Returns a pool in the form of replies. */
export async function poolReply(db: Queryable, row: Rendered): Promise<WorkerPool> {
  const counts = await countsByPool(db, [row.worker_pool_id]);
  return rendered(row, counts.get(row.worker_pool_id) ?? noCounts);
}

export const readPoolUseCases = ({ db }: Pick<WorkerManagerContext, "db">) => ({
  async listProviders(caller: Caller, query: PageQuery): Promise<ReplyOf<typeof endpoints.listProviders>> {
    caller.authorize(endpoints.listProviders, {});
    const { after, limit } = decodePage(query, PAGE);
    const found = providers.filter(({ providerId }) => providerId > after);
    const { rows, more } = pageOf(found, limit, ({ providerId }) => providerId);
    return {
      providers: rows.map(({ providerId }) => ({ providerId, providerType: providerId })),
      ...more,
    };
  },

  async workerPool(caller: Caller, workerPoolId: string): Promise<WorkerPool> {
    caller.authorize(endpoints.workerPool, { workerPoolId });
    const row = await readPool(db, workerPoolId);
    if (row === undefined) throw unknownPool(workerPoolId);
    return poolReply(db, row);
  },

  async listWorkerPools(
    caller: Caller,
    query: PageQuery,
  ): Promise<ReplyOf<typeof endpoints.listWorkerPools>> {
    caller.authorize(endpoints.listWorkerPools, {});
    const { after, limit } = decodePage(query, PAGE);
    const read = await listPools(db, after, limit + 1);
    const { rows, more } = fullPageOf(read, limit, "definition", (row) => row.worker_pool_id);
    const counts = await countsByPool(
      db,
      rows.map((row) => row.worker_pool_id),
    );
    return {
      workerPools: rows.map((row) => rendered(row, counts.get(row.worker_pool_id) ?? noCounts)),
      ...more,
    };
  },

  async listWorkerPoolsStats(
    caller: Caller,
    query: PageQuery,
  ): Promise<ReplyOf<typeof endpoints.listWorkerPoolsStats>> {
    caller.authorize(endpoints.listWorkerPoolsStats, {});
    const { after, limit } = decodePage(query, PAGE);
    const read = await listPoolIds(db, after, limit + 1);
    const { rows, more } = pageOf(read, limit, (row) => row.worker_pool_id);
    const ids = rows.map((row) => row.worker_pool_id);
    const counts = await countsByPool(db, ids);
    return {
      workerPoolsStats: ids.map((workerPoolId) => ({
        workerPoolId,
        ...(counts.get(workerPoolId) ?? noCounts),
      })),
      ...more,
    };
  },

  async workerPoolStats(
    caller: Caller,
    workerPoolId: string,
  ): Promise<ReplyOf<typeof endpoints.workerPoolStats>> {
    caller.authorize(endpoints.workerPoolStats, { workerPoolId });
    if ((await readPool(db, workerPoolId)) === undefined) throw unknownPool(workerPoolId);
    const rows = await countByLaunchConfig(db, workerPoolId);
    return {
      launchConfigStats: rows.map((row) => ({
        workerPoolId,
        launchConfigId: row.launch_config_id,
        ...countsOf(row),
      })),
    };
  },

  async listWorkerPoolLaunchConfigs(
    caller: Caller,
    workerPoolId: string,
    query: QueryOf<typeof endpoints.listWorkerPoolLaunchConfigs>,
  ): Promise<ReplyOf<typeof endpoints.listWorkerPoolLaunchConfigs>> {
    caller.authorize(endpoints.listWorkerPoolLaunchConfigs, { workerPoolId });
    const { after, limit } = decodePage(query, PAGE);
    if ((await readPool(db, workerPoolId)) === undefined) throw unknownPool(workerPoolId);
    const archived = query.includeArchived === "true";
    const read = await listLaunchConfigs(db, workerPoolId, after, archived, limit + 1);
    const { rows, more } = fullPageOf(read, limit, "configuration", (row) => row.launch_config_id);
    return {
      workerPoolLaunchConfigs: rows.map((row) => ({
        launchConfigId: row.launch_config_id,
        workerPoolId,
        isArchived: row.is_archived,
        configuration: { ...parseJson(row.configuration) },
        created: row.created.toISOString(),
        lastModified: row.last_modified.toISOString(),
      })),
      ...more,
    };
  },
});
