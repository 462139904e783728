// The use cases of the purge-cache service, for handlers and other services.
import { purgeCacheApi } from "../../../api/purge-cache/index.ts";
import type { PurgeRequests } from "../../../api/purge-cache/schemas.ts";
import type { ReplyOf } from "../../../api/endpoint.ts";
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import type { Caller } from "../../core/caller.ts";
import type { Db } from "../../core/db.ts";
import { decodePage, pageOf, type PageQuery } from "../../core/pagination.ts";
import { readAllPurgeRequests, readPurgeRequests, writePurgeRequest, type PurgeRequestRow } from "./store.ts";

const DAY_MS = 24 * 3_600_000;
const PAGE = 1000;

/** Names of caches with a request, per pool. The list of a pool has no pages, and its workers read it for each task. */
const MAX_PER_POOL = 10_000;

const { endpoints } = purgeCacheApi;

export const purgeCacheUseCases = ({ db, clock }: { readonly db: Db; readonly clock: Clock }) => ({
  async purgeCache(caller: Caller, workerPoolId: string, cacheName: string): Promise<void> {
    caller.authorize(endpoints.purgeCache, { workerPoolId, cacheName });
    const now = clock.now();
    const written = await writePurgeRequest(db, workerPoolId, cacheName, {
      now: new Date(now).toISOString(),
      expires: new Date(now + DAY_MS).toISOString(),
      most: MAX_PER_POOL,
    });
    if (written === 0)
      throw new ApiError(
        "RequestConflict",
        `${workerPoolId} has purge requests for ${MAX_PER_POOL} caches already, which is the maximum. Wait until they expire, a day after each was made.`,
      );
  },

  async purgeRequests(
    caller: Caller,
    workerPoolId: string,
    since: string | undefined,
  ): Promise<ReplyOf<typeof endpoints.purgeRequests>> {
    caller.authorize(endpoints.purgeRequests, { workerPoolId });
    const rows = await readPurgeRequests(db, workerPoolId, parseSince(since));
    return { requests: rows.map(rendered) };
  },

  async allPurgeRequests(
    caller: Caller,
    query: PageQuery,
  ): Promise<ReplyOf<typeof endpoints.allPurgeRequests>> {
    caller.authorize(endpoints.allPurgeRequests, {});
    const { after, limit } = decodePage(query, PAGE, /^[^\0]*$/);
    const at = after.indexOf(SEPARATOR);
    const from = { workerPoolId: after.slice(0, Math.max(at, 0)), cacheName: after.slice(at + 1) };
    const read = await readAllPurgeRequests(db, from, limit + 1);
    const { rows, more } = pageOf(read, limit, (row) => row.worker_pool_id + SEPARATOR + row.cache_name);
    return { requests: rows.map(rendered), ...more };
  },
});

/** A character that no pool's id has; the name of a cache may have any, so only the first one separates. */
const SEPARATOR = " ";

function rendered({ worker_pool_id, cache_name: cacheName, before }: PurgeRequestRow): PurgeRequests[number] {
  const [provisionerId = "", workerType = ""] = worker_pool_id.split("/");
  return { provisionerId, workerType, cacheName, before: before.toISOString() };
}

/** Returns the time, or the beginning of all times without one. */
function parseSince(since: string | undefined): string {
  if (since === undefined) return new Date(0).toISOString();
  const time = Date.parse(since);
  // Years of more than four digits cannot be passed to the database in this format.
  if (Number.isNaN(time) || time < -62_135_596_800_000 || time > 253_402_300_799_999)
    throw new ApiError(
      "InvalidRequestArguments",
      `Query-string parameter: since must be a time such as 2026-01-31T12:00:00.000Z, not '${since.slice(0, 100)}'.`,
    );
  return new Date(time).toISOString();
}
