-- The keys that encrypt values in the database, and the log of administrative changes.

-- Every key that may have encrypted a stored value. The keys themselves are not in the database.
create table encryption_keys (
  -- Derived from the key.
  id text primary key,
  -- The id, or null once the key is retired. Columns with encrypted values have a generated column that references it. So a
  -- key can only be retired when no row needs it, and no process can write with it afterwards, however old its view is.
  usable_id text unique check (usable_id = id),
  created timestamptz not null default now(),
  retired timestamptz
);

create table audit_log (
  id bigint generated always as identity primary key,
  created timestamptz not null default now(),
  entity_type text not null,
  entity_id text collate "C" not null,
  client_id text collate "C" not null,
  action text not null
);
create index audit_log_by_entity on audit_log (entity_type, entity_id, id);
create index audit_log_by_client on audit_log (client_id, id);
create index audit_log_by_created on audit_log (created);
