import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import {
  createNotes,
  noteBody,
  readNotes,
  storedNotes,
  writeNote,
} from "../../../../test/support/encrypted-notes.ts";
import { testMonitor } from "../../../../test/support/monitor.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { sql } from "../sql.ts";
import { loadCheckedKeys } from "./check-keys.ts";
import { newKey, parseKey } from "./encryption-key.ts";
import { createKeyFile, readKeyFile, replaceKeyFile } from "./key-file.ts";
import { createKeyRing, type KeyRing } from "./key-ring.ts";
import { loadKeys, type KeySource } from "./key-source.ts";
import { retireKey } from "./store.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await createNotes(database.db);
});
beforeEach(async () => {
  await database.db.run(sql`delete from notes`);
  await database.db.run(sql`delete from encryption_keys`);
});
afterAll(() => database.drop());

const { monitor, records } = testMonitor();
const open = async (source: KeySource): Promise<KeyRing> =>
  createKeyRing({ source, loaded: await loadKeys(source), db: database.db, log: monitor.log });
const check = (source: KeySource) => loadCheckedKeys(database.db, source, [noteBody]);
const keysOfNotes = async () => (await storedNotes(database.db)).map((note) => note.body_key_id);
const idOf = (text: string): string => parseKey(text).id;

describe("with keys of the configuration", () => {
  const [first, second] = [newKey(), newKey()];

  it("the first one encrypts, and all decrypt", async () => {
    await writeNote(database.db, await open({ keys: [first] }), "a", "old");
    const ring = await open({ keys: [second, first] });
    await writeNote(database.db, ring, "b", "new");
    expect(await keysOfNotes()).toEqual([idOf(first), idOf(second)]);
    expect(await readNotes(database.db, ring)).toEqual({ a: "old", b: "new" });
  });

  it("a value of another key is refused by the id of that key", async () => {
    await writeNote(database.db, await open({ keys: [first] }), "a", "old");
    await expect(readNotes(database.db, await open({ keys: [second] }))).rejects.toThrow(
      `the stored value of notes.body of "a" needs the encryption key ${idOf(first)}, which this process does not have. Add that key`,
    );
  });

  it("a value that was copied to another row cannot be read there", async () => {
    const ring = await open({ keys: [first] });
    await writeNote(database.db, ring, "a", "for a");
    await writeNote(database.db, ring, "b", "for b");
    await database.db.run(
      sql`update notes set body = (select body from notes where name = 'a') where name = 'b'`,
    );
    await expect(readNotes(database.db, ring)).rejects.toThrow('notes.body of "b" cannot be decrypted');
  });

  it("nothing can be stored with a retired key, and a server with it first does not start", async () => {
    const ring = await open({ keys: [first, second] });
    await writeNote(database.db, ring, "a", "old");
    await expect(retireKey(database.db, idOf(first))).resolves.toBe(false);
    await database.db.run(sql`delete from notes`);
    await expect(retireKey(database.db, idOf(first))).resolves.toBe(true);
    await expect(writeNote(database.db, ring, "a", "old")).rejects.toMatchObject({
      code: "ServiceUnavailable",
      message: expect.stringContaining(
        "its encryption key was retired. Start it again with the current keys",
      ),
    });
    expect(await storedNotes(database.db)).toEqual([]);
    await expect(check({ keys: [first, second] })).rejects.toThrow(
      `encryption.keys  (configuration)\n    starts with the key ${idOf(first)}, which a rotation has retired`,
    );
  });

  it("a server does not start without a key that a value needs, and starts without one that no value needs", async () => {
    await writeNote(database.db, await open({ keys: [first] }), "a", "old");
    await expect(check({ keys: [second] })).rejects.toThrow(
      `encryption.keys  (configuration)\n    lacks the key ${idOf(first)}, with which values of notes.body are encrypted: add that key after`,
    );
    await check({ keys: [second, first] });
    await database.db.run(sql`delete from notes`);
    await check({ keys: [second] });
  });
});

describe("with a key file", () => {
  let file = "";
  beforeEach(async () => {
    file = join(await temporaryFolder(), "keys");
    await createKeyFile(file);
  });

  it("a new first key is used for the next value, and read by a process that meets it in a row", async () => {
    const [writer, reader] = [await open({ file }), await open({ file })];
    await writeNote(database.db, writer, "a", "old");
    const { lines } = await readKeyFile(file);
    const added = newKey();
    await replaceKeyFile(file, [added, ...lines]);
    await writeNote(database.db, writer, "b", "new");
    expect(await keysOfNotes()).toEqual([idOf(lines[0] ?? ""), idOf(added)]);
    expect(await readNotes(database.db, reader)).toEqual({ a: "old", b: "new" });
  });

  it("a write whose key is retired before it commits is repeated with the new one", async () => {
    const ring = await open({ file });
    const { lines } = await readKeyFile(file);
    await ring.encrypt("registers the key", "test");
    let writes = 0;
    await ring.writing(async () => {
      const stored = await ring.encrypt("body", 'notes.body of "a"');
      if (writes++ === 0) {
        await replaceKeyFile(file, [newKey(), ...lines]);
        expect(await retireKey(database.db, idOf(lines[0] ?? ""))).toBe(true);
      }
      return database.db.run(sql`insert into notes (name, body) values ('a', ${stored})`);
    });
    expect(writes).toBe(2);
    expect(await readNotes(database.db, ring)).toEqual({ a: "body" });
  });

  it("the keys are kept while the file cannot be read, which is logged without them", async () => {
    const ring = await open({ file });
    const { lines } = await readKeyFile(file);
    await rm(file);
    await writeNote(database.db, ring, "a", "body");
    expect(await readNotes(database.db, ring)).toEqual({ a: "body" });
    const logged = JSON.stringify(records);
    expect(logged).toContain("the encryption keys cannot be read again; the old ones are kept");
    expect(logged).not.toContain(lines[0]);
  });
});
