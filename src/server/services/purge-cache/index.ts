// The purge-cache service.
import { purgeCacheApi } from "../../../api/purge-cache/index.ts";
import { defineService } from "../../core/service.ts";
import { expirePurgeRequests } from "./expire-purge-requests.ts";
import { settings } from "./settings.ts";
import { purgeCacheUseCases } from "./use-cases.ts";

export const purgeCacheService = defineService({
  api: purgeCacheApi,
  settings,
  metrics: {},
  create({ db, clock, config }) {
    const useCases = purgeCacheUseCases({ db, clock });
    return {
      handlers: {
        purgeCache: async ({ caller, params, body }) => {
          await useCases.purgeCache(caller, params.workerPoolId, body.cacheName);
          return undefined;
        },
        allPurgeRequests: ({ caller, query }) => useCases.allPurgeRequests(caller, query),
        purgeRequests: ({ caller, params, query }) =>
          useCases.purgeRequests(caller, params.workerPoolId, query.since),
      },
      provides: useCases,
      loops: [
        {
          name: "purge-request-expiry",
          intervalMs: config.purgeCache.loopInterval,
          runOnce: expirePurgeRequests({ db, clock }),
        },
      ],
    };
  },
});
