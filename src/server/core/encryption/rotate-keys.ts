// The rotation of keys: a new key, all values encrypted again with it, and the old keys retired. Servers run meanwhile.
//
// Each step can be repeated, so a rotation that was killed is finished by the next one. Between the steps, the key file has all
// keys that stored values need.
import type { Db, Queryable } from "../db.ts";
import { loadCheckedKeys } from "./check-keys.ts";
import { encryptAgain } from "./encrypt-again.ts";
import type { EncryptedColumn } from "./encrypted-column.ts";
import { newKey, type EncryptionKey } from "./encryption-key.ts";
import { readKeyFile, removeDrafts, replaceKeyFile } from "./key-file.ts";
import { loadKeys, type KeySource } from "./key-source.ts";
import { addKey, holdLock, lockRotation, retireKey } from "./store.ts";

export interface RotationOptions {
  readonly db: Db;
  readonly source: KeySource;
  readonly columns: readonly EncryptedColumn[];
}

export interface Rotation {
  /** The id of the key that encrypts all values now. */
  readonly current: string;
  /** The ids of the keys that are no longer needed. */
  readonly retired: readonly string[];
  /** The number of values that were encrypted again. */
  readonly values: number;
  /** Whether this finished an earlier rotation, instead of adding a key. */
  readonly resumed: boolean;
}

/** The rotation did not finish. Nothing is lost, and it can be repeated. The message says what to do. */
export class RotationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RotationError";
  }
}

// A server that read the keys before the new one was written may store values with the old one until its write commits.
const MAX_PASSES = 20;
const MAX_SHOWN_FAILURES = 10;

/**
 * Rotates the keys of a file: adds a key, unless an earlier rotation has, and removes the others. Keys of the configuration are
 * not changed: their first one is used, and the others are retired. Throws a RotationError or a ConfigError.
 */
export function rotateKeys({ db, source, columns }: RotationOptions): Promise<Rotation> {
  // The lock is released when the process or its connection ends.
  return db.tx(async (lock) => {
    if (!(await lockRotation(lock)))
      throw new RotationError(
        "another rotation of the encryption keys is running: wait until it has finished",
      );
    await loadCheckedKeys(db, source, columns);
    const resumed = await prepareKeys(source);
    const [current, ...others] = (await loadKeys(source)).keys;
    if (!(await addKey(db, current.id)))
      throw new RotationError(`the encryption key ${current.id} was retired before: put a new key first`);
    let values = 0;
    for (const old of others) values += await replaceKey(db, columns, old, current);
    const retired = others.map(({ id }) => id);
    // Throws if the lock was lost with its connection: another rotation may have begun to change the file.
    await holdLock(lock);
    if ("file" in source) await removeKeys(source.file, retired);
    return { current: current.id, retired, values, resumed };
  });
}

/** Adds a key to a file with one key. Returns whether there was a second key already. */
async function prepareKeys(source: KeySource): Promise<boolean> {
  if ((await loadKeys(source)).keys.length > 1) return true;
  if (!("file" in source))
    throw new RotationError(
      "the encryption keys are in the configuration, which this command cannot change, and there is only one: add a second " +
        "key as docs/guides/operating.md describes, or move the keys to a file (`encryption.keyFile`)",
    );
  const { lines } = await readKeyFile(source.file);
  await replaceKeyFile(source.file, [newKey(), ...lines]);
  return false;
}

/** Encrypts all values of the old key again, and retires it. Returns their number. */
async function replaceKey(
  db: Queryable,
  columns: readonly EncryptedColumn[],
  old: EncryptionKey,
  current: EncryptionKey,
): Promise<number> {
  let values = 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const failures: string[] = [];
    for (const column of columns) {
      const outcome = await encryptAgain(db, column, { old, current });
      values += outcome.done;
      failures.push(...outcome.failures);
    }
    if (failures.length > 0) throw unreadable(old, failures);
    if (await retireKey(db, old.id)) return values;
  }
  throw new RotationError(
    `a server still encrypts new values with the key ${old.id}: let all servers read the current keys, and run this again`,
  );
}

function unreadable({ id }: EncryptionKey, failures: readonly string[]): RotationError {
  const shown = failures.slice(0, MAX_SHOWN_FAILURES);
  const more = failures.length - shown.length;
  return new RotationError(
    [
      `the key ${id} is kept, because ${failures.length === 1 ? "a value" : `${failures.length} values`} of it cannot be decrypted. ` +
        "All others were encrypted again. Run this again when the following is repaired:",
      ...shown,
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join("\n  "),
  );
}

/** Removes retired keys from a file, and drafts of it. */
async function removeKeys(file: string, ids: readonly string[]): Promise<void> {
  const { keys, lines } = await readKeyFile(file);
  const kept = lines.filter((_, i) => !ids.includes(keys[i]?.id ?? ""));
  if (kept.length < lines.length) await replaceKeyFile(file, kept);
  await removeDrafts(file);
}
