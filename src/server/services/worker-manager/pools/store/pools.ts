// Reads and writes worker pools.
import Type, { type Static } from "typebox";
import type { PoolRequest } from "../../../../../api/worker-manager/pools.ts";
import { auditEntry } from "../../../../core/audit.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { jsonText, type Json } from "../../../../core/json.ts";
import { unlessFull } from "../../../../core/pagination.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { events } from "../../events.ts";

/** What the creator of a pool states about it, apart from its provider. */
export type Definition = Omit<PoolRequest, "providerId">;

const pool = {
  worker_pool_id: Type.String(),
  provider_id: Type.String(),
  created: Timestamp,
  last_modified: Timestamp,
};
const PoolRow = Type.Object({
  ...pool,
  previous_provider_ids: Type.Array(Type.String()),
  definition: jsonText<Definition>(),
});
export type PoolRow = Static<typeof PoolRow>;

const columns = sql`worker_pool_id, provider_id, previous_provider_ids, definition, created, last_modified`;

export const readPool = (db: Queryable, workerPoolId: string): Promise<PoolRow | undefined> =>
  db.maybeOne(PoolRow, sql`select ${columns} from worker_pools where worker_pool_id = ${workerPoolId}`);

/** Returns the pool, which nobody else changes or adds workers of the provider `self` to until the transaction ends. */
export const lockPool = (tx: Queryable, workerPoolId: string): Promise<PoolRow | undefined> =>
  tx.maybeOne(
    PoolRow,
    sql`select ${columns} from worker_pools where worker_pool_id = ${workerPoolId} for update`,
  );

export interface PoolChange {
  readonly workerPoolId: string;
  readonly providerId: string;
  readonly definition: Json<Definition>;
  readonly clientId: string;
  readonly at: string;
}

const words = (change: PoolChange) => {
  const [provisionerId = "", workerType = ""] = change.workerPoolId.split("/");
  return { providerId: change.providerId, provisionerId, workerType };
};

/** Inserts a pool. Returns undefined if it exists. */
export const insertPool = (tx: Queryable, change: PoolChange): Promise<PoolRow | undefined> => {
  const { workerPoolId, providerId, definition, clientId, at } = change;
  const from = sql`from written`;
  return tx.maybeOne(
    PoolRow,
    sql`
    with written as (
      insert into worker_pools (worker_pool_id, provider_id, definition, created, last_modified)
      values (${workerPoolId}, ${providerId}, ${definition}, ${at}::timestamptz, ${at}::timestamptz)
      on conflict do nothing returning ${columns}),
    audited as (${auditEntry({ entityType: "worker-pool", entityId: workerPoolId, clientId, action: "created", from })}),
    logged as (${events.workerPoolCreated.publish(words(change), { workerPoolId, providerId }, { from })})
    select ${columns} from written`,
  );
};

/** Changes a pool that is locked. */
export const updatePool = (
  tx: Queryable,
  change: PoolChange,
  before: Pick<PoolRow, "provider_id" | "previous_provider_ids">,
  action: "updated" | "deleted",
): Promise<PoolRow | undefined> => {
  const { workerPoolId, providerId, definition, clientId, at } = change;
  const from = sql`from written`;
  const previous = new Set([...before.previous_provider_ids, before.provider_id]);
  previous.delete(providerId);
  const message = { workerPoolId, providerId, previousProviderId: before.provider_id };
  return tx.maybeOne(
    PoolRow,
    sql`
    with written as (
      update worker_pools set provider_id = ${providerId}, previous_provider_ids = ${[...previous]}::text[],
        definition = ${definition}, last_modified = ${at}::timestamptz
      where worker_pool_id = ${workerPoolId}
      returning ${columns}),
    audited as (${auditEntry({ entityType: "worker-pool", entityId: workerPoolId, clientId, action, from })}),
    logged as (${events.workerPoolUpdated.publish(words(change), message, { from })})
    select ${columns} from written`,
  );
};

const CountRow = {
  requested_count: Type.Integer(),
  running_count: Type.Integer(),
  stopping_count: Type.Integer(),
  stopped_count: Type.Integer(),
  requested_capacity: Type.Integer(),
  running_capacity: Type.Integer(),
  stopping_capacity: Type.Integer(),
  stopped_capacity: Type.Integer(),
};
const Counted = Type.Object({ worker_pool_id: Type.String(), ...CountRow });
export type CountedRow = Static<typeof Counted>;
const LaunchConfigCounted = Type.Object({
  worker_pool_id: Type.String(),
  launch_config_id: Type.String(),
  ...CountRow,
});

const numbers = sql`
  count(*) filter (where state = 'requested') as requested_count,
  count(*) filter (where state = 'running') as running_count,
  count(*) filter (where state = 'stopping') as stopping_count,
  count(*) filter (where state = 'stopped') as stopped_count,
  coalesce(sum(capacity) filter (where state = 'requested'), 0) as requested_capacity,
  coalesce(sum(capacity) filter (where state = 'running'), 0) as running_capacity,
  coalesce(sum(capacity) filter (where state = 'stopping'), 0) as stopping_capacity,
  coalesce(sum(capacity) filter (where state = 'stopped'), 0) as stopped_capacity`;

/** Counts the workers of each pool by state, and sums their capacities. */
export const countWorkers = (db: Queryable, workerPoolIds: readonly string[]): Promise<CountedRow[]> =>
  db.many(
    Counted,
    sql`
    select p.worker_pool_id, n.* from unnest(${workerPoolIds}::text[]) p (worker_pool_id),
      lateral (select ${numbers} from pool_workers w where w.worker_pool_id = p.worker_pool_id) n`,
  );

/** Does the same for each launch config of a pool that has workers. */
export const countByLaunchConfig = (db: Queryable, workerPoolId: string) =>
  db.many(
    LaunchConfigCounted,
    sql`
    select worker_pool_id, launch_config_id, ${numbers} from pool_workers
    where worker_pool_id = ${workerPoolId} and launch_config_id is not null
    group by worker_pool_id, launch_config_id order by launch_config_id`,
  );

const ListedPool = Type.Object({ ...pool, definition: Type.Union([jsonText<Definition>(), Type.Null()]) });

/** Returns up to `limit` pools after the given one. The definition is null where the page is full. */
export const listPools = (db: Queryable, after: string, limit: number) =>
  db.many(
    ListedPool,
    sql`
    select worker_pool_id, provider_id, created, last_modified,
      ${unlessFull(sql`definition`, sql`octet_length(definition)`, sql`worker_pool_id`)} as definition
    from (
      select ${columns} from worker_pools where worker_pool_id > ${after} order by worker_pool_id limit ${limit}) p
    order by worker_pool_id`,
  );

const IdRow = Type.Object({ worker_pool_id: Type.String() });

/** Returns the ids of up to `limit` pools after the given one. */
export const listPoolIds = (db: Queryable, after: string, limit: number) =>
  db.many(
    IdRow,
    sql`select worker_pool_id from worker_pools where worker_pool_id > ${after} order by worker_pool_id limit ${limit}`,
  );

const hasNoWorkers: Sql = sql`
  not exists (select from pool_workers w where w.worker_pool_id = p.worker_pool_id)`;

/** Removes up to `limit` deleted pools that have no workers left, with all that belongs to them. Returns their number. */
export const removeDeletedPools = (db: Queryable, limit: number): Promise<number> =>
  db.run(sql`
    with gone as (
      delete from worker_pools where worker_pool_id in (
        select worker_pool_id from worker_pools p where provider_id = 'null-provider' and ${hasNoWorkers}
        order by worker_pool_id limit ${limit} for update skip locked)
      returning worker_pool_id),
    launch_configs as (delete from worker_pool_launch_configs c using gone g where c.worker_pool_id = g.worker_pool_id),
    secrets as (delete from worker_pool_secrets s using gone g where s.worker_pool_id = g.worker_pool_id)
    select from gone`);

/** Removes, from up to `limit` pools, earlier providers that have no workers left. Returns the number of pools. */
export const forgetProviders = (db: Queryable, limit: number): Promise<number> =>
  db.run(sql`
    update worker_pools p set previous_provider_ids = array(
      select id from unnest(p.previous_provider_ids) id
      where exists (select from pool_workers w where w.worker_pool_id = p.worker_pool_id and w.provider_id = id))
    where p.worker_pool_id in (
      select worker_pool_id from worker_pools q where q.previous_provider_ids <> '{}' and exists (
        select from unnest(q.previous_provider_ids) id where not exists (
          select from pool_workers w where w.worker_pool_id = q.worker_pool_id and w.provider_id = id))
      order by worker_pool_id limit ${limit} for update skip locked)`);
