// The contract of the purge-cache service: requests to the workers of a pool to discard a cache.
import { endpoint } from "../endpoint.ts";
import { page, taskQueueId } from "../queue/endpoints/params.ts";
import { monitoringEndpoints, service } from "../service.ts";
import {
  allPurgeRequestsFile,
  poolPurgeRequestsFile,
  purgeCacheRequestFile,
  purgeRequestsFile,
} from "./schemas.ts";

const category = "Purge-Cache Service";
const ofPool = { workerPoolId: taskQueueId };

export const purgeCacheApi = service({
  name: "purge-cache",
  version: "v1",
  title: "Purge Cache",
  description:
    "Keeps requests to workers to discard a cache, such as one with broken contents. Workers read the requests for their pool before they use a cache.",
  endpoints: {
    ...monitoringEndpoints,
    purgeCache: endpoint({
      method: "POST",
      path: "/purge-cache/*workerPoolId",
      params: ofPool,
      name: "purgeCache",
      category,
      stability: "stable",
      title: "Request the purge of a cache",
      description:
        "Requests that all workers of the pool discard the caches of this name that exist now. The request is kept for a day. A repeated request replaces the earlier one.",
      scopes: "purge-cache:<workerPoolId>:<cacheName>",
      body: purgeCacheRequestFile,
      replyStatus: 204,
    }),
    allPurgeRequests: endpoint({
      method: "GET",
      path: "/purge-cache/list",
      query: page,
      name: "allPurgeRequests",
      category,
      stability: "stable",
      title: "List all purge requests",
      description: "Returns the requests of the last day for all worker pools, ordered by pool and cache.",
      scopes: "purge-cache:all-purge-requests",
      reply: allPurgeRequestsFile,
    }),
    purgeRequests: endpoint({
      method: "GET",
      path: "/purge-cache/*workerPoolId",
      params: ofPool,
      query: { since: /./ },
      name: "purgeRequests",
      category,
      stability: "stable",
      title: "List the purge requests of a pool",
      description:
        "Returns the requests of the last day for a worker pool, ordered by cache. With `since`, an RFC 3339 time, only those that also concern caches created at or after that time.",
      scopes: "purge-cache:purge-requests::<workerPoolId>",
      reply: poolPurgeRequestsFile,
    }),
  },
  exchanges: {},
  schemas: [purgeRequestsFile],
});
