import { rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  encryptedNotes,
  noteBody,
  readNotes,
  storedNotes,
  writeNote,
} from "../../../../test/support/encrypted-notes.ts";
import { untilLockWaits } from "../../../../test/support/lock-waits.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { sql } from "../sql.ts";
import { loadCheckedKeys } from "./check-keys.ts";
import { newKey, parseKey } from "./encryption-key.ts";
import { createKeyFile, readKeyFile, replaceKeyFile } from "./key-file.ts";
import type { KeySource } from "./key-source.ts";
import { retireKey } from "./store.ts";

const notes = encryptedNotes();
const { open, records } = notes;
const check = (source: KeySource) => loadCheckedKeys(notes.db, source, [noteBody]);
const keysOfNotes = async () => (await storedNotes(notes.db)).map((note) => note.body_key_id);
const idOf = (text: string): string => parseKey(text).id;

describe("with keys of the configuration", () => {
  const [first, second] = [newKey(), newKey()];

  it("the first one encrypts, and all decrypt", async () => {
    await writeNote(notes.db, await open({ keys: [first] }), "a", "old");
    const ring = await open({ keys: [second, first] });
    await writeNote(notes.db, ring, "b", "new");
    expect(await keysOfNotes()).toEqual([idOf(first), idOf(second)]);
    expect(await readNotes(notes.db, ring)).toEqual({ a: "old", b: "new" });
  });

  it("a value of another key is refused by the id of that key", async () => {
    await writeNote(notes.db, await open({ keys: [first] }), "a", "old");
    await expect(readNotes(notes.db, await open({ keys: [second] }))).rejects.toThrow(
      `the stored value of notes.body of "a" needs the encryption key ${idOf(first)}, which this process does not have. Add that key`,
    );
  });

  it("a value that was copied to another row cannot be read there", async () => {
    const ring = await open({ keys: [first] });
    await writeNote(notes.db, ring, "a", "for a");
    await writeNote(notes.db, ring, "b", "for b");
    await notes.db.run(
      sql`update notes set body = (select body from notes where name = 'a') where name = 'b'`,
    );
    await expect(readNotes(notes.db, ring)).rejects.toThrow('notes.body of "b" cannot be decrypted');
  });

  it("nothing can be stored with a retired key, and a server with it first does not start", async () => {
    const ring = await open({ keys: [first, second] });
    await writeNote(notes.db, ring, "a", "old");
    await expect(retireKey(notes.db, idOf(first))).resolves.toBe(false);
    await notes.db.run(sql`delete from notes`);
    await expect(retireKey(notes.db, idOf(first))).resolves.toBe(true);
    await expect(writeNote(notes.db, ring, "a", "old")).rejects.toMatchObject({
      code: "ServiceUnavailable",
      message: expect.stringContaining(
        "its encryption key was retired. Start it again with the current keys",
      ),
    });
    expect(await storedNotes(notes.db)).toEqual([]);
    await expect(check({ keys: [first, second] })).rejects.toThrow(
      `encryption.keys  (configuration)\n    starts with the key ${idOf(first)}, which a rotation has retired`,
    );
  });

  it("a server does not start without a key that a value needs, and starts without one that no value needs", async () => {
    await writeNote(notes.db, await open({ keys: [first] }), "a", "old");
    await expect(check({ keys: [second] })).rejects.toThrow(
      `encryption.keys  (configuration)\n    lacks the key ${idOf(first)}, with which values of notes.body are encrypted: add that key after`,
    );
    await check({ keys: [second, first] });
    await notes.db.run(sql`delete from notes`);
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
    await writeNote(notes.db, writer, "a", "old");
    const { lines } = await readKeyFile(file);
    const added = newKey();
    await replaceKeyFile(file, [added, ...lines]);
    await writeNote(notes.db, writer, "b", "new");
    expect(await keysOfNotes()).toEqual([idOf(lines[0] ?? ""), idOf(added)]);
    expect(await readNotes(notes.db, reader)).toEqual({ a: "old", b: "new" });
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
        expect(await retireKey(notes.db, idOf(lines[0] ?? ""))).toBe(true);
      }
      return notes.db.run(sql`insert into notes (name, body) values ('a', ${stored})`);
    });
    expect(writes).toBe(2);
    expect(await readNotes(notes.db, ring)).toEqual({ a: "body" });
  });

  it("a key that is retired just before it is registered is replaced by the new one", async () => {
    const ring = await open({ file });
    const { lines } = await readKeyFile(file);
    const added = newKey();
    const { written } = await notes.db.tx(async (tx) => {
      expect(await retireKey(tx, idOf(lines[0] ?? ""))).toBe(true);
      const write = writeNote(notes.db, ring, "a", "body");
      await untilLockWaits(notes.db);
      await replaceKeyFile(file, [added, ...lines]);
      return { written: write };
    });
    await written;
    expect(await keysOfNotes()).toEqual([idOf(added)]);
  });

  it("the keys are kept while the file cannot be read, which is logged without them", async () => {
    const ring = await open({ file });
    const { lines } = await readKeyFile(file);
    await rm(file);
    await writeNote(notes.db, ring, "a", "body");
    expect(await readNotes(notes.db, ring)).toEqual({ a: "body" });
    const logged = JSON.stringify(records);
    expect(logged).toContain("the encryption keys cannot be read again; the old ones are kept");
    expect(logged).not.toContain(lines[0]);
  });
});
