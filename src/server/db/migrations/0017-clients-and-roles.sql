-- Clients and roles. Each process keeps a view of both in memory, so requests are authenticated without the database.

create table clients (
  client_id text collate "C" primary key,
  description text not null,
  -- Null for clients of the configuration, which alone has their tokens.
  access_token text,
  access_token_key_id text generated always as (split_part(access_token, ':', 2)) stored
    references encryption_keys (usable_id),
  -- A JSON array. As text, because its size is then known without reading it, which bounds the pages of lists.
  scopes text not null,
  expires timestamptz not null,
  disabled boolean not null default false,
  delete_on_expiration boolean not null,
  created timestamptz not null,
  last_modified timestamptz not null,
  last_rotated timestamptz not null
);
create index clients_by_key on clients (access_token_key_id, client_id);
create index clients_to_delete on clients (expires) where delete_on_expiration;

-- Written every few seconds for each client in use, so it is apart from rows that may have thousands of scopes.
create table client_uses (
  client_id text collate "C" primary key references clients on delete cascade,
  last_used timestamptz not null
) with (fillfactor = 50);

create table roles (
  role_id text collate "C" primary key,
  description text not null,
  -- A JSON array.
  scopes text not null,
  created timestamptz not null,
  last_modified timestamptz not null
);

-- The one row that every change of a role increments. So changes are made one after the other, each with a check for cycles
-- that has seen all others.
create table role_set (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into role_set (version) values (0);

-- Each process reads the events of clients and roles twice a second, without walking those of tasks in between.
create index events_of_auth on events (id) where exchange like 'exchange/taskcluster-auth/%';
