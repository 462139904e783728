// The SQL statements of the secrets service.
import Type from "typebox";
import { auditEntry } from "../../core/audit.ts";
import { Timestamp, type Queryable } from "../../core/db.ts";
import type { EncryptedColumn } from "../../core/encryption/encrypted-column.ts";
import { sql } from "../../core/sql.ts";

/** The column with the secrets, as JSON text. */
export const secretColumn: EncryptedColumn = {
  name: "secrets.secret",
  table: sql`secrets`,
  column: sql`secret`,
  keyId: sql`secret_key_id`,
  row: sql`name`,
  // Each may have two megabytes.
  batch: 10,
};

export interface NewSecret {
  readonly name: string;
  /** Encrypted. */
  readonly secret: string;
  readonly expires: string;
}

/** Inserts or replaces a secret, and records who did it. */
export const writeSecret = (
  db: Queryable,
  { name, secret, expires }: NewSecret,
  clientId: string,
): Promise<number> =>
  db.run(sql`
    with written as (
      insert into secrets (name, secret, expires) values (${name}, ${secret}, ${expires})
      on conflict (name) do update set secret = excluded.secret, expires = excluded.expires
      returning xmax = 0 as created)
    ${auditEntry({
      entityType: "secret",
      entityId: name,
      clientId,
      action: sql`case when created then 'created' else 'updated' end`,
      from: sql`from written`,
    })}`);

/** Deletes a secret, if there is one, and records who did it. */
export const deleteSecret = (db: Queryable, name: string, clientId: string): Promise<number> =>
  db.run(sql`
    with deleted as (delete from secrets where name = ${name} returning name)
    ${auditEntry({ entityType: "secret", entityId: name, clientId, action: "deleted", from: sql`from deleted` })}`);

const SecretRow = Type.Object({ secret: Type.String(), expires: Timestamp });

/** Returns a secret that expires after `now`, still encrypted. */
export const readSecret = (db: Queryable, name: string, now: string) =>
  db.maybeOne(
    SecretRow,
    sql`select secret, expires from secrets where name = ${name} and expires > ${now}::timestamptz`,
  );

const NameRow = Type.Object({ name: Type.String() });

/** Returns the names after `after` of secrets that expire after `now`, in byte order. */
export const listNames = (db: Queryable, now: string, after: string, limit: number) =>
  db.many(
    NameRow,
    sql`
    select name from secrets where name > ${after} and expires > ${now}::timestamptz order by name limit ${limit}`,
  );

/** Deletes up to `limit` secrets that expired. Returns their number. */
export const deleteExpired = (db: Queryable, now: string, limit: number): Promise<number> =>
  db.run(sql`
    with expired as (
      select name from secrets where expires <= ${now}::timestamptz
      order by expires limit ${limit} for update skip locked)
    delete from secrets s using expired e where s.name = e.name`);
