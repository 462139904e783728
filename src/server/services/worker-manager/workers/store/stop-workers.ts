// Stops workers, and publishes that the queue has to end their runs.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../../../core/db.ts";
import { sql, type Sql } from "../../../../core/sql.ts";
import { logEnded } from "./worker-events.ts";
import { isWorker, type WorkerKey } from "./workers.ts";

interface Stop {
  readonly at: string;
  /** When a worker of the provider `self` is deleted. Others are deleted when they expire. */
  readonly forgetAt: string;
}

const StoppedWorker = Type.Object({
  worker_pool_id: Type.String(),
  provider_id: Type.String(),
  worker_id: Type.String(),
  created: Timestamp,
  reason: Type.String(),
});
export type StoppedWorker = Static<typeof StoppedWorker>;

/** Logs the ends of the workers of the statement's `stopped`, and returns these workers. */
const loggedAs = (reason: string, at: string): Sql => sql`
  logged as (${logEnded(sql`from stopped w`, at, reason)})
  select worker_pool_id, provider_id, worker_id, created, ${reason}::text as reason from stopped`;

/** Stops a worker. Returns nothing if it does not exist or is stopped already. */
export const stopWorker = (
  db: Queryable,
  worker: WorkerKey,
  { at, forgetAt }: Stop,
): Promise<StoppedWorker[]> =>
  db.many(
    StoppedWorker,
    sql`
    with stopped as (
      update pool_workers w set state = 'stopped', secret_digest = null, last_modified = ${at}::timestamptz,
        expires = case when w.provider_id = 'self' then ${forgetAt}::timestamptz else w.expires end
      where ${isWorker(worker)} and w.state <> 'stopped'
      returning w.*),
    ${loggedAs("The worker was removed by removeWorker.", at)}`,
  );

/** Stops up to `limit` workers of the provider `self` whose registration ended, or one of them. Returns these workers. */
export const stopSilentWorkers = (
  db: Queryable,
  { at, forgetAt }: Stop,
  limit: number,
  only?: WorkerKey,
): Promise<StoppedWorker[]> =>
  db.many(
    StoppedWorker,
    sql`
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
    ${loggedAs("The worker did not register again in time.", at)}`,
  );
