// The SQL statements of the identity service.
import Type, { type Static } from "typebox";
import { auditEntry } from "../../core/audit.ts";
import { Timestamp, type Queryable } from "../../core/db.ts";
import type { EncryptedColumn } from "../../core/encryption/encrypted-column.ts";
import { sql, waking, type Sql } from "../../core/sql.ts";

/** Woken when the published keys have changed. */
export const keysTopic = "oidc-keys";

const wakingViews = (statement: Sql): Sql =>
  waking(({ rowCount }) => ((rowCount ?? 0) > 0 ? [keysTopic] : []), statement);

export const privateKeys: EncryptedColumn = {
  name: "oidc_keys.private_key",
  table: sql`oidc_keys`,
  column: sql`private_key`,
  keyId: sql`private_key_key_id`,
  row: sql`kid`,
};

const KeyRow = Type.Object({
  kid: Type.String(),
  generation: Type.Integer(),
  public_key: Type.String(),
  created: Timestamp,
  signs_from: Timestamp,
});
export type KeyRow = Static<typeof KeyRow>;

/** Returns all keys, the oldest first. Their number is small, because a key is only added when the last one signs. */
export const readKeys = (db: Queryable): Promise<KeyRow[]> =>
  db.many(
    KeyRow,
    sql`select kid, generation, public_key, created, signs_from from oidc_keys order by generation`,
  );

const Kid = Type.Object({ kid: Type.String() });

/** Returns the key that signs at this time, or undefined if there are no keys. */
export const readSigningKid = async (db: Queryable, now: string): Promise<string | undefined> =>
  // If none signs yet by this server's clock, another server has just added the last one.
  (
    await db.maybeOne(
      Kid,
      sql`select kid from oidc_keys order by signs_from <= ${now}::timestamptz desc, generation desc limit 1`,
    )
  )?.kid;

const PrivateKey = Type.Object({ private_key: Type.String() });

/** Returns the encrypted private key, unless it was erased. */
export const readPrivateKey = async (db: Queryable, kid: string): Promise<string | undefined> =>
  (
    await db.maybeOne(
      PrivateKey,
      sql`select private_key from oidc_keys where kid = ${kid} and private_key is not null`,
    )
  )?.private_key;

export interface NewKey {
  readonly kid: string;
  readonly generation: number;
  readonly publicKey: string;
  /** Encrypted. */
  readonly privateKey: string;
  readonly created: string;
  readonly signsFrom: string;
  /** Whether all other keys are removed. */
  readonly revoke: boolean;
  /** Who adds it, for the audit log. */
  readonly actor: string;
}

/** Adds a key. Returns false, and changes nothing, if another process has added one of this generation. */
export const insertKey = async (db: Queryable, key: NewKey): Promise<boolean> => {
  const entry = { entityType: "oidc-key", entityId: sql`kid`, clientId: key.actor } as const;
  const added = await db.run(
    wakingViews(sql`
    with added as (
      insert into oidc_keys (kid, generation, public_key, private_key, created, signs_from)
      select ${key.kid}, ${key.generation}, ${key.publicKey}, ${key.privateKey}, ${key.created}::timestamptz,
        ${key.signsFrom}::timestamptz
      where (select coalesce(max(generation), 0) from oidc_keys) < ${key.generation}
      on conflict (generation) do nothing
      returning kid
    ), revoked as (
      delete from oidc_keys where ${key.revoke}::boolean and exists (select from added)
        and generation < ${key.generation}
      returning kid
    ), audited as (
      ${auditEntry({ ...entry, action: "created", from: sql`from added` })}
    ), audited_revocations as (
      ${auditEntry({ ...entry, action: "revoked", from: sql`from revoked` })}
    )
    select kid from added`),
  );
  return added > 0;
};

/** Erases the private keys of all keys whose successor signs since `before`. */
export const erasePrivateKeys = (db: Queryable, before: string): Promise<number> =>
  db.run(sql`
    update oidc_keys k set private_key = null
    where k.private_key is not null and ${hasSuccessorFrom(before)}`);

/** Removes the keys whose successor signs since `before`. */
export const deleteOldKeys = (db: Queryable, before: string): Promise<number> =>
  db.run(wakingViews(sql`delete from oidc_keys k where ${hasSuccessorFrom(before)}`));

const hasSuccessorFrom = (before: string): Sql => sql`exists (
  select from oidc_keys n where n.generation > k.generation and n.signs_from <= ${before}::timestamptz)`;
