// The SQL statements of the purge-cache service.
import Type, { type Static } from "typebox";
import { Timestamp, type Queryable } from "../../core/db.ts";
import { sql } from "../../core/sql.ts";

const PurgeRequestRow = Type.Object({
  worker_pool_id: Type.String(),
  cache_name: Type.String(),
  before: Timestamp,
});
export type PurgeRequestRow = Static<typeof PurgeRequestRow>;

/**
 * Inserts or renews a request. Returns 0, and writes nothing, if the pool has `most` requests for other caches. Concurrent
 * calls may exceed that by their number.
 */
export const writePurgeRequest = (
  db: Queryable,
  workerPoolId: string,
  cacheName: string,
  { now, expires, most }: { readonly now: string; readonly expires: string; readonly most: number },
): Promise<number> =>
  db.run(sql`
    insert into purge_requests as p (worker_pool_id, cache_name, before, expires)
    select ${workerPoolId}, ${cacheName}, ${now}::timestamptz, ${expires}::timestamptz
    where (
      select count(*) from (
        select from purge_requests where worker_pool_id = ${workerPoolId} and cache_name <> ${cacheName} limit ${most}
      ) others
    ) < ${most}
    on conflict (worker_pool_id, cache_name) do update set
      before = greatest(p.before, excluded.before), expires = greatest(p.expires, excluded.expires)`);

/** Returns the requests of a pool that concern caches created at `since` or later. */
export const readPurgeRequests = (
  db: Queryable,
  workerPoolId: string,
  since: string,
): Promise<PurgeRequestRow[]> =>
  db.many(
    PurgeRequestRow,
    sql`
    select worker_pool_id, cache_name, before from purge_requests
    where worker_pool_id = ${workerPoolId} and before >= ${since}::timestamptz
    order by cache_name`,
  );

/** Returns up to `limit` requests after the given one, in the order of pool and cache. */
export const readAllPurgeRequests = (
  db: Queryable,
  after: { readonly workerPoolId: string; readonly cacheName: string },
  limit: number,
): Promise<PurgeRequestRow[]> =>
  db.many(
    PurgeRequestRow,
    sql`
    select worker_pool_id, cache_name, before from purge_requests
    where (worker_pool_id, cache_name) > (${after.workerPoolId}, ${after.cacheName})
    order by worker_pool_id, cache_name limit ${limit}`,
  );

/** Deletes up to `limit` requests that expired before `now`, and returns their number. */
export const deleteExpired = (db: Queryable, now: string, limit: number): Promise<number> =>
  db.run(sql`
    delete from purge_requests where (worker_pool_id, cache_name) in (
      select worker_pool_id, cache_name from purge_requests where expires < ${now}::timestamptz
      order by expires limit ${limit} for update skip locked)`);
