// The SQL statements of the key ring and of the rotation of keys.
import Type, { type Static } from "typebox";
import { isForeignKeyViolation } from "../db-errors.ts";
import type { Queryable } from "../db.ts";
import { sql } from "../sql.ts";
import type { EncryptedColumn } from "./encrypted-column.ts";

/** Matches the names of the constraints by which columns refer to keys. */
const ofKeyId = /_key_id_fkey$/;

/** Reports whether a write was refused because the key with which it encrypted a value is retired. */
export const isOfRetiredKey = (err: unknown): boolean => isForeignKeyViolation(err, ofKeyId);

const KeyRow = Type.Object({ id: Type.String(), usable: Type.Boolean() });
export type KeyRow = Static<typeof KeyRow>;

export const readKeys = (db: Queryable): Promise<KeyRow[]> =>
  db.many(KeyRow, sql`select id, usable_id is not null as usable from encryption_keys order by id`);

/** Adds a key unless it is known, also if it is retired. Returns whether it may be used. */
export async function addKey(db: Queryable, id: string): Promise<boolean> {
  await db.run(sql`insert into encryption_keys (id, usable_id) values (${id}, ${id}) on conflict do nothing`);
  const row = await db.maybeOne(
    KeyRow,
    sql`select id, usable_id is not null as usable from encryption_keys where id = ${id}`,
  );
  return row?.usable === true;
}

const Used = Type.Object({ used: Type.Boolean() });

/** Reports whether a value of the column is encrypted with the key. */
export const isUsed = async (
  db: Queryable,
  { table, keyId }: EncryptedColumn,
  id: string,
): Promise<boolean> =>
  (await db.maybeOne(Used, sql`select exists (select from ${table} where ${keyId} = ${id}) as used`))
    ?.used === true;

/** Retires a key, so that no process can write with it. Returns false, and changes nothing, if a value needs it. */
export async function retireKey(db: Queryable, id: string): Promise<boolean> {
  try {
    await db.run(sql`
      insert into encryption_keys as k (id, retired) values (${id}, now())
      on conflict (id) do update set usable_id = null, retired = coalesce(k.retired, excluded.retired)`);
    return true;
  } catch (err) {
    if (isForeignKeyViolation(err, ofKeyId)) return false;
    throw err;
  }
}

const StoredRow = Type.Object({ row: Type.String(), stored: Type.String() });
export type StoredValue = Static<typeof StoredRow>;

/** Returns up to `limit` values that are encrypted with the key, in order of their rows, after the row `after`. */
export const valuesOfKey = (
  db: Queryable,
  { table, column, keyId, row }: EncryptedColumn,
  id: string,
  after: string,
  limit: number,
): Promise<StoredValue[]> =>
  db.many(
    StoredRow,
    sql`
    select ${row} as row, ${column} as stored from ${table}
    where ${keyId} = ${id} and ${row} > ${after} order by ${row} limit ${limit}`,
  );

/** Replaces values that have not changed since they were read. Returns their number. */
export const replaceValues = (
  db: Queryable,
  { table, column, row }: EncryptedColumn,
  values: readonly StoredValue[],
  replacements: readonly string[],
): Promise<number> =>
  db.run(sql`
    update ${table} set ${column} = given.replacement
    from unnest(${values.map((value) => value.row)}::text[], ${values.map(({ stored }) => stored)}::text[],
      ${replacements}::text[]) as given (of_row, was, replacement)
    where ${row} = given.of_row and ${column} = given.was`);

const Lock = Type.Object({ locked: Type.Boolean() });

/** Takes the lock of rotations until the transaction ends. Returns false if another rotation has it. */
export const lockRotation = async (tx: Queryable): Promise<boolean> =>
  (
    await tx.maybeOne(
      Lock,
      sql`select pg_try_advisory_xact_lock(hashtextextended('rotation of encryption keys', 0)) as locked`,
    )
  )?.locked === true;

/** Rejects if the transaction with the lock has ended with its connection. */
export const holdLock = (tx: Queryable): Promise<number> => tx.run(sql`select 1`);
