import { readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  encryptedNotes,
  noteBody,
  readNotes,
  storedNotes,
  writeNote,
} from "../../../../test/support/encrypted-notes.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { sql } from "../sql.ts";
import { newKey, parseKey } from "./encryption-key.ts";
import { createKeyFile, readKeyFile, replaceKeyFile } from "./key-file.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeySource } from "./key-source.ts";
import { rotateKeys } from "./rotate-keys.ts";
import { lockRotation, readKeys } from "./store.ts";

const notes = encryptedNotes();
const { open } = notes;
let file = "";
beforeEach(async () => {
  file = join(await temporaryFolder(), "keys");
  await createKeyFile(file);
});

const rotate = (source: KeySource = { file }) => rotateKeys({ db: notes.db, source, columns: [noteBody] });
const keysOfNotes = async () => new Set((await storedNotes(notes.db)).map((note) => note.body_key_id));
const idsInFile = async () => (await readKeyFile(file)).keys.map(({ id }) => id);
const ten = Array.from({ length: 10 }, (_, i) => String(i));

describe("a rotation of a key file", () => {
  it("encrypts all values with a new key, removes the old one, and needs no action of the servers", async () => {
    const ring = await open({ file });
    for (const name of ten) await writeNote(notes.db, ring, name, `body of ${name}`);
    const [old] = await idsInFile();
    const [readBefore] = await storedNotes(notes.db);
    const { current, ...outcome } = await rotate();
    expect(outcome).toEqual({ retired: [old], values: 10, resumed: false });
    expect(await idsInFile()).toEqual([current]);
    expect(await keysOfNotes()).toEqual(new Set([current]));
    expect(await readKeys(notes.db)).toEqual(
      expect.arrayContaining([
        { id: current, usable: true },
        { id: old, usable: false },
      ]),
    );
    expect(await readNotes(notes.db, ring)).toMatchObject({ 3: "body of 3" });
    await writeNote(notes.db, ring, "3", "replaced");
    expect(await keysOfNotes()).toEqual(new Set([current]));
    expect(await ring.decrypt(readBefore?.body ?? "", 'notes.body of "0"')).toBe("body of 0");
    expect(await rotate()).toMatchObject({ retired: [current], values: 10, resumed: false });
  });

  it("loses no write of a server that runs meanwhile", async () => {
    const rings = [await open({ file }), await open({ file })];
    for (const name of ten) await writeNote(notes.db, rings[0] as KeyRing, name, "0");
    const latest: Record<string, string> = {};
    let over = false;
    const writers = ten.map(async (name, i) => {
      for (let n = 1; !over || n < 3; n++) {
        await writeNote(notes.db, rings[i % 2] as KeyRing, name, String(n));
        latest[name] = String(n);
      }
    });
    for (let i = 0; i < 3; i++) await rotate();
    over = true;
    await Promise.all(writers);
    expect(await readNotes(notes.db, await open({ file }))).toEqual(latest);
    expect(await keysOfNotes()).toEqual(new Set(await idsInFile()));
    expect(await idsInFile()).toHaveLength(1);
  });

  it("is finished by the next one if it ended after any of its steps", async () => {
    const ring = await open({ file });
    for (const name of ten) await writeNote(notes.db, ring, name, name);
    const { lines } = await readKeyFile(file);
    // It had added a key, and encrypted some values.
    await replaceKeyFile(file, [newKey(), ...lines]);
    await writeNote(notes.db, ring, "0", "new");
    const [added, old] = await idsInFile();
    expect(await rotate()).toEqual({ current: added, retired: [old], values: 9, resumed: true });
    // It was killed while it wrote the file. Another process writes a draft at the moment.
    const draft = `${file}.${process.pid}.0123456789ab`;
    await writeFile(draft, "key");
    await utimes(draft, 0, 0);
    await writeFile(`${file}.1.0123456789ab`, "key");
    // It had retired the old key, and not removed it from the file.
    await replaceKeyFile(file, [...(await readKeyFile(file)).lines, ...lines]);
    expect(await rotate()).toEqual({ current: added, retired: [old], values: 0, resumed: true });
    expect(await idsInFile()).toEqual([added]);
    expect(await readdir(dirname(file))).toEqual(["keys", "keys.1.0123456789ab"]);
    expect(await readNotes(notes.db, await open({ file }))).toEqual({
      ...Object.fromEntries(ten.map((name) => [name, name])),
      0: "new",
    });
  });

  it("keeps the old key if a value cannot be decrypted, and names its row", async () => {
    const ring = await open({ file });
    for (const name of ten) await writeNote(notes.db, ring, name, name);
    await notes.db.run(
      sql`update notes set body = (select body from notes where name = '1') where name = '4'`,
    );
    const [old] = await idsInFile();
    await expect(rotate()).rejects.toThrow(
      new RegExp(
        `^the key ${old} is kept, because a value of it cannot be decrypted\\. All others .*\\n  the stored value of notes\\.body of "4" cannot`,
      ),
    );
    expect((await idsInFile())[1]).toBe(old);
    expect(await readNotes(notes.db, ring).catch(String)).toContain('notes.body of "4"');
    await notes.db.run(sql`delete from notes where name = '4'`);
    expect(await rotate()).toMatchObject({ retired: [old], values: 0, resumed: true });
    expect(Object.keys(await readNotes(notes.db, ring))).toHaveLength(9);
  });

  it("is refused while another one runs, and if a value needs a key that is missing", async () => {
    await notes.db.tx(async (tx) => {
      expect(await lockRotation(tx)).toBe(true);
      await expect(rotate()).rejects.toThrow(/^another rotation of the encryption keys is running: wait/);
    });
    const other = newKey();
    await writeNote(notes.db, await open({ keys: [other] }), "a", "b");
    await expect(rotate()).rejects.toThrow(
      `lacks the key ${parseKey(other).id}, with which values of notes.body`,
    );
    expect(await idsInFile()).toHaveLength(1);
  });
});

describe("a rotation of keys in the configuration", () => {
  const [old, added] = [newKey(), newKey()];

  it("encrypts all values with the first one, and retires the others", async () => {
    await writeNote(notes.db, await open({ keys: [old] }), "a", "b");
    const keys = [added, old];
    const result = { current: parseKey(added).id, retired: [parseKey(old).id], resumed: true };
    expect(await rotate({ keys })).toEqual({ ...result, values: 1 });
    expect(await rotate({ keys })).toEqual({ ...result, values: 0 });
    expect(await readNotes(notes.db, await open({ keys: [added] }))).toEqual({ a: "b" });
  });

  it("is refused with one key only, since the command cannot change the configuration", async () => {
    await expect(rotate({ keys: [old, old] })).rejects.toThrow(
      /^the encryption keys are in the configuration, .* add a second key as docs\/guides\/operating\.md describes/,
    );
  });
});
