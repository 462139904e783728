// Writes registrations.
import { Timestamp, type Queryable } from "../../../core/db.ts";
import { sql } from "../../../core/sql.ts";
import Type from "typebox";
import { logStarted } from "../workers/store/worker-events.ts";
import { isWorker, type WorkerKey } from "../workers/store/workers.ts";

export interface Registration {
  readonly at: string;
  /** When the credentials expire. */
  readonly until: string;
  /** The digest of the secret with which the worker registers again. */
  readonly digest: string;
}

/**
 * Records a registration of a running worker. Returns 0 if there is none any more. With `previous`, also 0 unless that is the
 * digest of its last registration.
 */
export const writeRegistration = (
  db: Queryable,
  worker: WorkerKey & { readonly providerId: string },
  { at, until, digest }: Registration,
  previous: string | null = null,
): Promise<number> =>
  db.run(sql`
    update pool_workers w set secret_digest = ${digest}, last_modified = ${at}::timestamptz,
      last_checked = ${at}::timestamptz,
      -- Others expire when their administrator says.
      expires = case when w.provider_id = 'self' then ${until}::timestamptz else w.expires end
    where ${isWorker(worker)} and w.state = 'running' and w.provider_id = ${worker.providerId}
      and w.expires > ${at}::timestamptz
      and (${previous}::text is null or w.secret_digest = ${previous})`);

/** Inserts a worker of the provider `self`, or replaces one that has stopped, and publishes that it runs. */
export const startSelfWorker = (
  tx: Queryable,
  worker: WorkerKey,
  { at, until, digest }: Registration,
  launchConfigId: string | null,
): Promise<number> =>
  tx.run(sql`
    with started as (
      insert into pool_workers as w (worker_pool_id, worker_group, worker_id, provider_id, launch_config_id, state, capacity,
        created, expires, last_modified, last_checked, secret_digest)
      values (${worker.workerPoolId}, ${worker.workerGroup}, ${worker.workerId}, 'self', ${launchConfigId}, 'running', 1,
        ${at}::timestamptz, ${until}::timestamptz, ${at}::timestamptz, ${at}::timestamptz, ${digest})
      on conflict (worker_pool_id, worker_group, worker_id) do update set
        provider_id = excluded.provider_id, launch_config_id = excluded.launch_config_id, state = excluded.state,
        capacity = excluded.capacity, created = excluded.created, expires = excluded.expires,
        last_modified = excluded.last_modified, last_checked = excluded.last_checked,
        secret_digest = excluded.secret_digest, static_secret = null
      where w.state = 'stopped'
      returning w.*),
    logged as (${logStarted(sql`from started w`, at)})
    select from started`);

const SecretRow = Type.Object({
  provider_id: Type.String(),
  state: Type.String(),
  expires: Timestamp,
  secret_digest: Type.Union([Type.String(), Type.Null()]),
});

export const readRegistration = (db: Queryable, worker: WorkerKey) =>
  db.maybeOne(
    SecretRow,
    sql`select provider_id, state, expires, secret_digest from pool_workers w where ${isWorker(worker)}`,
  );
