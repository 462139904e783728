-- Objects: names, projects and hashes. Their bytes are in the artifact store.

create table objects (
  name text collate "C" primary key,
  project_id text not null,
  upload_id text not null,
  -- When an upload that is not finished is forgotten; null once it is.
  upload_expires timestamptz,
  expires timestamptz not null,
  -- By algorithm. What is known does not change.
  hashes jsonb not null,
  -- What the uploader said it would be, where it did.
  content_length bigint,
  -- What the store knows an upload in parts by, until it is finished.
  parts_id text
);
create index objects_by_expiry on objects (expires);
create index objects_by_upload_expiry on objects (upload_expires) where upload_expires is not null;
