-- Secrets: JSON objects by name, encrypted.

create table secrets (
  name text collate "C" primary key,
  secret text not null,
  secret_key_id text generated always as (split_part(secret, ':', 2)) stored
    references encryption_keys (usable_id),
  expires timestamptz not null
);
create index secrets_by_expiry on secrets (expires);
create index secrets_by_key on secrets (secret_key_id, name);
