// A table with an encrypted column, for tests of the key ring.
import { Type } from "typebox";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { EncryptedColumn } from "../../src/server/core/encryption/encrypted-column.ts";
import { contextOf } from "../../src/server/core/encryption/encrypted-column.ts";
import { createKeyRing, type KeyRing } from "../../src/server/core/encryption/key-ring.ts";
import { loadKeys, type KeySource } from "../../src/server/core/encryption/key-source.ts";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import { testDatabase, type TestDatabase } from "./db.ts";
import { testMonitor } from "./monitor.ts";

export const noteBody: EncryptedColumn = {
  name: "notes.body",
  table: sql`notes`,
  column: sql`body`,
  keyId: sql`body_key_id`,
  row: sql`name`,
  batch: 3,
};

export interface EncryptedNotes {
  readonly db: Db;
  /** Every log record of the key rings. */
  readonly records: readonly Record<string, unknown>[];
  /** Opens the key ring of a server. */
  open(source: KeySource): Promise<KeyRing>;
}

/** Creates the database for the tests of a file. Each test begins without notes and keys. */
export function encryptedNotes(): EncryptedNotes {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await database.db.run(sql`
      create table notes (
        name text collate "C" primary key,
        body text not null,
        body_key_id text generated always as (split_part(body, ':', 2)) stored references encryption_keys (usable_id))`);
  });
  beforeEach(async () => {
    await database.db.run(sql`delete from notes`);
    await database.db.run(sql`delete from encryption_keys`);
  });
  afterAll(() => database.drop());
  const { monitor, records } = testMonitor();
  return {
    get db() {
      return database.db;
    },
    records,
    open: async (source) =>
      createKeyRing({ source, loaded: await loadKeys(source), db: database.db, log: monitor.log }),
  };
}

/** Encrypts and stores a note, like a service. */
export const writeNote = (db: Db, ring: KeyRing, name: string, body: string): Promise<number> =>
  ring.writing(async () => {
    const stored = await ring.encrypt(body, contextOf(noteBody, name));
    return db.run(sql`
      insert into notes (name, body) values (${name}, ${stored}) on conflict (name) do update set body = excluded.body`);
  });

const Note = Type.Object({ name: Type.String(), body: Type.String(), body_key_id: Type.String() });

/** Returns the notes as they are stored. */
export const storedNotes = (db: Db) =>
  db.many(Note, sql`select name, body, body_key_id from notes order by name`);

/** Returns the decrypted notes by name. */
export async function readNotes(db: Db, ring: KeyRing): Promise<Record<string, string>> {
  const notes = await storedNotes(db);
  const bodies = notes.map(
    async ({ name, body }) => [name, await ring.decrypt(body, contextOf(noteBody, name))] as const,
  );
  return Object.fromEntries(await Promise.all(bodies));
}
