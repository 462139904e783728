-- Artifacts: names, types and expiries. The bytes of those of type s3 are in the artifact store.

create table artifacts (
  task_id text collate "C" not null,
  run_id smallint not null,
  name text collate "C" not null,
  storage_type text not null check (storage_type in ('s3', 'object', 'reference', 'link', 'error')),
  content_type text not null,
  -- What the uploader said it would be, where it did.
  content_length bigint,
  -- JSON text, its members in one order for each storage type, so that equal details are equal texts.
  -- reference: url; link: artifact; error: reason, message; s3: none.
  details text not null,
  -- False while an upload is announced whose end the store will tell. Never so for s3, where it cannot.
  present boolean not null,
  expires timestamptz not null,
  primary key (task_id, run_id, name)
);
create index artifacts_by_expiry on artifacts (expires);
