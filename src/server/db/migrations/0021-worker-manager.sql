-- Worker pools, their launch configs, secrets and errors, and the workers that belong to them.

create table worker_pools (
  worker_pool_id text collate "C" primary key,
  provider_id text collate "C" not null,
  -- Earlier providers that may still have workers.
  previous_provider_ids text[] not null default '{}',
  -- JSON with description, config, owner and emailOnError. As text, since it may have characters that jsonb does not accept.
  definition text not null,
  created timestamptz not null,
  last_modified timestamptz not null
);
create index worker_pools_deleted on worker_pools (worker_pool_id) where provider_id = 'null-provider';
create index worker_pools_changed on worker_pools (worker_pool_id) where previous_provider_ids <> '{}';

create table worker_pool_launch_configs (
  worker_pool_id text collate "C" not null,
  launch_config_id text collate "C" not null,
  is_archived boolean not null default false,
  -- JSON.
  configuration text not null,
  created timestamptz not null,
  last_modified timestamptz not null,
  primary key (worker_pool_id, launch_config_id)
);

create table worker_pool_secrets (
  worker_pool_id text collate "C" primary key,
  -- An encrypted JSON list of one or two secrets.
  secrets text not null,
  secrets_key_id text generated always as (split_part(secrets, ':', 2)) stored
    references encryption_keys (usable_id)
);
create index worker_pool_secrets_by_key on worker_pool_secrets (secrets_key_id, worker_pool_id);

-- Not to be confused with `workers`, which are those that the queue has seen.
create table pool_workers (
  worker_pool_id text collate "C" not null,
  worker_group text collate "C" not null,
  worker_id text collate "C" not null,
  worker_key text collate "C" generated always as (worker_pool_id || '/' || worker_group || '/' || worker_id) stored,
  provider_id text collate "C" not null,
  launch_config_id text collate "C",
  state text not null check (state in ('requested', 'running', 'stopping', 'stopped')),
  capacity integer not null,
  created timestamptz not null,
  expires timestamptz not null,
  last_modified timestamptz not null,
  last_checked timestamptz not null,
  -- The secret of a worker of the provider `static`, encrypted.
  static_secret text,
  static_secret_key_id text generated always as (split_part(static_secret, ':', 2)) stored
    references encryption_keys (usable_id),
  -- SHA-256 of the secret with which the worker registers again.
  secret_digest text,
  primary key (worker_pool_id, worker_group, worker_id)
);
create unique index pool_workers_by_worker_key on pool_workers (worker_key);
create index pool_workers_by_key on pool_workers (static_secret_key_id, worker_key);
create index pool_workers_by_state on pool_workers (worker_pool_id, launch_config_id, state) include (capacity);
create index pool_workers_by_provider on pool_workers (worker_pool_id, provider_id);
create index pool_workers_active on pool_workers (worker_pool_id, created, worker_group, worker_id) include (launch_config_id, capacity)
  where provider_id = 'self' and state <> 'stopped';
create index pool_workers_silent on pool_workers (expires) where provider_id = 'self' and state <> 'stopped';
create index pool_workers_expired on pool_workers (expires) where provider_id <> 'self' or state = 'stopped';

create table worker_pool_errors (
  error_id text collate "C" primary key,
  worker_pool_id text collate "C" not null,
  launch_config_id text collate "C",
  reported timestamptz not null,
  -- JSON with kind, title, description and extra.
  report text not null,
  -- For statistics, without characters that the database does not accept.
  title text not null,
  code text
);
create index worker_pool_errors_by_pool on worker_pool_errors (worker_pool_id, reported desc, error_id desc);
create index worker_pool_errors_by_launch_config
  on worker_pool_errors (worker_pool_id, launch_config_id, reported desc, error_id desc);
create index worker_pool_errors_by_reported on worker_pool_errors (reported);
