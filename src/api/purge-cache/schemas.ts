// Schemas of the purge-cache service: requests to workers to discard a cache.
import Type, { type Static } from "typebox";
import { exactly, named } from "../schema.ts";

const poolPart = Type.String({ minLength: 1, maxLength: 38, pattern: "^([a-zA-Z0-9-_]*)$" });

export const purgeCacheRequestFile = named(
  "v1/purge-cache-request.json",
  exactly({
    cacheName: Type.String({
      maxLength: 255,
      description: "The name of the cache, as in the payload of tasks.",
    }),
  }),
);

export const purgeRequestsFile = named(
  "v1/purge-cache-requests.json",
  Type.Array(
    exactly({
      provisionerId: poolPart,
      workerType: poolPart,
      cacheName: Type.String(),
      before: Type.String({
        format: "date-time",
        description: "Caches that were created before this time must be discarded.",
      }),
    }),
    { uniqueItems: false },
  ),
);
export type PurgeRequests = Static<typeof purgeRequestsFile.schema>;

export const poolPurgeRequestsFile = named(
  "v1/purge-cache-request-list.json",
  exactly({ requests: purgeRequestsFile.schema }),
);

export const allPurgeRequestsFile = named(
  "v1/all-purge-cache-request-list.json",
  exactly({ requests: purgeRequestsFile.schema, continuationToken: Type.Optional(Type.String()) }),
);
