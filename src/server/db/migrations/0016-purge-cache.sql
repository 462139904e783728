-- Requests to the workers of a pool to discard a cache.

create table purge_requests (
  worker_pool_id text collate "C" not null,
  cache_name text collate "C" not null,
  -- Caches created before this time must be discarded.
  before timestamptz not null,
  expires timestamptz not null,
  primary key (worker_pool_id, cache_name)
);
create index purge_requests_by_expiry on purge_requests (expires);
