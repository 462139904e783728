-- The keys that sign the tokens of tasks. A key signs from its time on, until the time of the next generation.

create table oidc_keys (
  kid text collate "C" primary key,
  -- Of two processes that make the next key, one fails.
  generation integer not null unique,
  -- A JSON Web Key.
  public_key text not null,
  -- PKCS #8 in PEM. Null as soon as the next key signs.
  private_key text,
  private_key_key_id text generated always as (split_part(private_key, ':', 2)) stored
    references encryption_keys (usable_id),
  created timestamptz not null,
  signs_from timestamptz not null
);
create index oidc_keys_by_key on oidc_keys (private_key_key_id, kid);
