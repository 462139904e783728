// Stops workers, and publishes that the queue has to end their runs.
import type { Queryable } from "../../../../core/db.ts";
import { sql } from "../../../../core/sql.ts";
import { logEnded } from "./worker-events.ts";
import { isWorker, type WorkerKey } from "./workers.ts";

interface Stop {
  readonly at: string;
  /** When a worker of the provider `self` is deleted. Others are deleted when they expire. */
  readonly forgetAt: string;
}

/** Stops a worker. Returns 0 if it does not exist or is stopped already. */
export const stopWorker = (db: Queryable, worker: WorkerKey, { at, forgetAt }: Stop): Promise<number> =>
  db.run(sql`
    with stopped as (
      update pool_workers w set state = 'stopped', secret_digest = null, last_modified = ${at}::timestamptz,
        expires = case when w.provider_id = 'self' then ${forgetAt}::timestamptz else w.expires end
      where ${isWorker(worker)} and w.state <> 'stopped'
      returning w.*),
    logged as (${logEnded(sql`from stopped w`, at, "The worker was removed by removeWorker.")})
    select from stopped`);

/** Stops up to `limit` workers of the provider `self` whose registration ended, or one of them. Returns their number. */
export const stopSilentWorkers = (
  db: Queryable,
  { at, forgetAt }: Stop,
  limit: number,
  only?: WorkerKey,
): Promise<number> =>
  db.run(sql`
    with silent as (
      select worker_pool_id, worker_group, worker_id from pool_workers w
      where provider_id = 'self' and state <> 'stopped' and expires <= ${at}::timestamptz
        ${only === undefined ? sql`` : sql`and ${isWorker(only)}`}
      order by expires limit ${limit} for update skip locked),
    stopped as (
      update pool_workers w set state = 'stopped', secret_digest = null, last_modified = ${at}::timestamptz,
        expires = ${forgetAt}::timestamptz
      from silent s
      where w.worker_pool_id = s.worker_pool_id and w.worker_group = s.worker_group and w.worker_id = s.worker_id
      returning w.*),
    logged as (${logEnded(sql`from stopped w`, at, "The worker did not register again in time.")})
    select from stopped`);
