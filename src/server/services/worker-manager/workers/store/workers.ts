// Reads and writes the workers of pools.
import Type, { type Static } from "typebox";
import { WORKER_STATES } from "../../../../../api/worker-manager/workers.ts";
import { column } from "../../../../core/columns.ts";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import type { EncryptedColumn } from "../../../../core/encryption/encrypted-column.ts";
import { sql, type Sql } from "../../../../core/sql.ts";

/** The column with the secrets of workers of the provider `static`. */
export const staticSecrets: EncryptedColumn = {
  name: "pool_workers.static_secret",
  table: sql`pool_workers`,
  column: sql`static_secret`,
  keyId: sql`static_secret_key_id`,
  row: sql`worker_key`,
};

/** The key of a worker. */
export interface WorkerKey {
  readonly workerPoolId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

/** Returns the value of `worker_key`. */
export const keyText = ({ workerPoolId, workerGroup, workerId }: WorkerKey): string =>
  `${workerPoolId}/${workerGroup}/${workerId}`;

const Nullable = Type.Union([Type.String(), Type.Null()]);
const WorkerRow = Type.Object({
  worker_pool_id: Type.String(),
  worker_group: Type.String(),
  worker_id: Type.String(),
  provider_id: Type.String(),
  launch_config_id: Nullable,
  state: Type.Enum([...WORKER_STATES]),
  capacity: Type.Integer(),
  created: Timestamp,
  expires: Timestamp,
  last_modified: Timestamp,
  last_checked: Timestamp,
});
export type WorkerRow = Static<typeof WorkerRow>;

const columns: Sql = sql`
  w.worker_pool_id, w.worker_group, w.worker_id, w.provider_id, w.launch_config_id, w.state, w.capacity, w.created, w.expires,
  w.last_modified, w.last_checked`;

export const isWorker = ({ workerPoolId, workerGroup, workerId }: WorkerKey): Sql => sql`
  w.worker_pool_id = ${workerPoolId} and w.worker_group = ${workerGroup} and w.worker_id = ${workerId}`;

export const readWorker = (db: Queryable, worker: WorkerKey): Promise<WorkerRow | undefined> =>
  db.maybeOne(WorkerRow, sql`select ${columns} from pool_workers w where ${isWorker(worker)}`);

const SecretRow = Type.Object({ static_secret: Nullable });

/** Returns the encrypted secret of a worker, if it has one. */
export const readStaticSecret = async (db: Queryable, worker: WorkerKey): Promise<string | null> =>
  (await db.maybeOne(SecretRow, sql`select static_secret from pool_workers w where ${isWorker(worker)}`))
    ?.static_secret ?? null;

export interface WorkerFilter {
  readonly workerGroup?: string | undefined;
  readonly launchConfigId?: string | undefined;
  readonly state?: string | undefined;
}

/**
 * Returns workers of a pool after the given one, in order of groups and ids. Walks the index for the filter, one state after the
 * other, so that a filter which few workers match reads no others.
 */
export function listWorkers(
  db: Queryable,
  after: WorkerKey,
  { workerGroup, launchConfigId, state }: WorkerFilter,
  limit: number,
): Promise<WorkerRow[]> {
  const where = (filter: Sql): Sql => sql`
    select ${columns} from pool_workers w
    where w.worker_pool_id = ${after.workerPoolId}
      and (w.worker_group, w.worker_id) > (${after.workerGroup} collate "C", ${after.workerId} collate "C") ${filter}
    order by w.worker_group, w.worker_id limit ${limit}`;
  const ofGroup = workerGroup === undefined ? sql`` : sql`and w.worker_group = ${workerGroup}`;
  if (launchConfigId === undefined && state === undefined) return db.many(WorkerRow, where(ofGroup));
  const ofLaunchConfig =
    launchConfigId === undefined ? sql`` : sql`and w.launch_config_id = ${launchConfigId}`;
  const states = state === undefined ? WORKER_STATES : [state];
  return db.many(
    WorkerRow,
    sql`
    select w.* from unnest(${states}::text[]) s (state),
      lateral (${where(sql`${ofGroup} ${ofLaunchConfig} and w.state = s.state`)}) w
    order by w.worker_group, w.worker_id limit ${limit}`,
  );
}

/** Returns those of the given workers that exist. */
export const readWorkers = (
  db: Queryable,
  workerPoolId: string,
  workers: readonly Pick<WorkerKey, "workerGroup" | "workerId">[],
): Promise<WorkerRow[]> =>
  db.many(
    WorkerRow,
    sql`
    select ${columns}
    from unnest(${column(workers, "workerGroup")}::text[], ${column(workers, "workerId")}::text[]) k (worker_group, worker_id)
    join pool_workers w on w.worker_pool_id = ${workerPoolId}
      and w.worker_group = k.worker_group collate "C" and w.worker_id = k.worker_id collate "C"`,
  );

export interface NewWorker {
  readonly capacity: number;
  readonly expires: string;
  /** Encrypted. */
  readonly staticSecret: string;
  readonly at: string;
}

/** Inserts a worker of the provider `static`. Returns undefined if the worker exists. */
export const insertStaticWorker = (
  db: Queryable,
  worker: WorkerKey,
  { capacity, expires, staticSecret, at }: NewWorker,
): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    insert into pool_workers as w (worker_pool_id, worker_group, worker_id, provider_id, state, capacity, created, expires,
      last_modified, last_checked, static_secret)
    values (${worker.workerPoolId}, ${worker.workerGroup}, ${worker.workerId}, 'static', 'running', ${capacity},
      ${at}::timestamptz, ${expires}::timestamptz, ${at}::timestamptz, ${at}::timestamptz, ${staticSecret})
    on conflict do nothing
    returning ${columns}`,
  );

/** Changes a worker of the provider `static`: what is null stays the same. */
export const updateStaticWorker = (
  db: Queryable,
  worker: WorkerKey,
  change: {
    readonly capacity: number | null;
    readonly expires: string;
    readonly staticSecret: string | null;
    readonly at: string;
  },
): Promise<WorkerRow | undefined> =>
  db.maybeOne(
    WorkerRow,
    sql`
    update pool_workers w set expires = ${change.expires}::timestamptz, last_modified = ${change.at}::timestamptz,
      capacity = coalesce(${change.capacity}::integer, w.capacity),
      static_secret = coalesce(${change.staticSecret}::text, w.static_secret)
    where ${isWorker(worker)} and w.provider_id = 'static'
    returning ${columns}`,
  );

/**
 * Deletes up to `limit` workers that expired before `now`, and returns their number. A running worker of the provider `self`
 * is stopped first.
 */
export const deleteExpiredWorkers = (db: Queryable, now: string, limit: number): Promise<number> =>
  db.run(sql`
    delete from pool_workers w using (
      select worker_pool_id, worker_group, worker_id from pool_workers
      where expires < ${now}::timestamptz and (provider_id <> 'self' or state = 'stopped')
      order by expires limit ${limit} for update skip locked) e
    where w.worker_pool_id = e.worker_pool_id and w.worker_group = e.worker_group and w.worker_id = e.worker_id`);
