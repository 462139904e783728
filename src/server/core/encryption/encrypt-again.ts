// Encrypts stored values again with another key, in batches, while servers read and write them.
import type { Queryable } from "../db.ts";
import { decryptWith, encryptWith } from "./cipher.ts";
import { contextOf, type EncryptedColumn } from "./encrypted-column.ts";
import type { EncryptionKey } from "./encryption-key.ts";
import { replaceValues, valuesOfKey, type StoredValue } from "./store.ts";

const BATCH_SIZE = 200;

export interface Keys {
  readonly old: EncryptionKey;
  readonly current: EncryptionKey;
}

export interface Outcome {
  /** The number of values that were encrypted again. */
  readonly done: number;
  /** Why values could not be decrypted. They are unchanged. */
  readonly failures: readonly string[];
}

/**
 * Encrypts every value of a column that has the old key with the current one. A value that is replaced meanwhile is left to its
 * writer. May be interrupted and repeated.
 */
export async function encryptAgain(db: Queryable, column: EncryptedColumn, keys: Keys): Promise<Outcome> {
  const failures: string[] = [];
  const limit = column.batch ?? BATCH_SIZE;
  let done = 0;
  let after = "";
  for (;;) {
    const values = await valuesOfKey(db, column, keys.old.id, after, limit);
    const last = values.at(-1);
    if (last === undefined) return { done, failures };
    after = last.row;
    const readable = values.flatMap((value) => replaced(value, column, keys, failures));
    done += await replaceValues(
      db,
      column,
      readable.map(({ value }) => value),
      readable.map(({ replacement }) => replacement),
    );
  }
}

/** Returns a value with its replacement, or nothing if it cannot be decrypted. */
function replaced(
  value: StoredValue,
  column: EncryptedColumn,
  { old, current }: Keys,
  failures: string[],
): { readonly value: StoredValue; readonly replacement: string }[] {
  const context = contextOf(column, value.row);
  try {
    return [{ value, replacement: encryptWith(current, decryptWith(old, value.stored, context), context) }];
  } catch (err) {
    failures.push(err instanceof Error ? err.message : String(err));
    return [];
  }
}
