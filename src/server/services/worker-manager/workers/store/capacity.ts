// The capacity of the workers that are not stopped.
import Type from "typebox";
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import type { WorkerKey } from "./workers.ts";

const SumRow = Type.Object({ capacity: Type.Integer() });

/** Returns the capacity of the workers of the provider `self` in the pool that are older than the given one. */
export const capacityBefore = async (
  db: Queryable,
  { workerPoolId, workerGroup, workerId }: WorkerKey,
  created: Date,
): Promise<number> =>
  (
    await db.maybeOne(
      SumRow,
      sql`
      select coalesce(sum(capacity), 0) as capacity from pool_workers
      where worker_pool_id = ${workerPoolId} and provider_id = 'self' and state <> 'stopped'
        and (created, worker_group, worker_id) < (${created}::timestamptz, ${workerGroup}, ${workerId})`,
    )
  )?.capacity ?? 0;

const UsedRow = Type.Object({
  launch_config_id: Type.Union([Type.String(), Type.Null()]),
  capacity: Type.Integer(),
});

/** Returns the capacity that the provider `self` uses of each launch config of a pool, null being the workers without one. */
export const usedCapacity = (db: Queryable, workerPoolId: string) =>
  db.many(
    UsedRow,
    sql`
    select launch_config_id, sum(capacity) as capacity from pool_workers
    where worker_pool_id = ${workerPoolId} and provider_id = 'self' and state <> 'stopped'
    group by launch_config_id`,
  );

const PoolCapacity = Type.Object({
  worker_pool_id: Type.String(),
  provider_id: Type.String(),
  capacity: Type.Integer(),
});

/** Returns the capacity of each pool and provider. Reads all workers. */
export const readCapacities = (reports: Queryable) =>
  reports.many(
    PoolCapacity,
    sql`
    select worker_pool_id, provider_id, sum(capacity) as capacity from pool_workers
    where state <> 'stopped'
    group by worker_pool_id, provider_id`,
  );
