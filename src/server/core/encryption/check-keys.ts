// The check of the keys at the start of a server.
import { ConfigError, type ConfigProblem } from "../config/problem.ts";
import type { Queryable } from "../db.ts";
import type { EncryptedColumn } from "./encrypted-column.ts";
import { hasChanged, loadKeys, type KeySource, type LoadedKeys } from "./key-source.ts";
import { addKey, isUsed, readKeys } from "./store.ts";

/**
 * Loads the keys and checks them. Throws a ConfigError if stored values need a key that is missing, or if the first key was
 * retired.
 */
export async function loadCheckedKeys(
  db: Queryable,
  source: KeySource,
  columns: readonly EncryptedColumn[],
): Promise<LoadedKeys> {
  for (;;) {
    const loaded = await loadKeys(source);
    try {
      await checkKeys(db, source, loaded, columns);
      return loaded;
    } catch (err) {
      // A rotation may have replaced the file between the two.
      if (!(err instanceof ConfigError) || !(await hasChanged(source, loaded))) throw err;
    }
  }
}

/** Throws a ConfigError if stored values need a key that is missing, or if the first key was retired. */
async function checkKeys(
  db: Queryable,
  source: KeySource,
  { keys }: LoadedKeys,
  columns: readonly EncryptedColumn[],
): Promise<void> {
  const at =
    "file" in source
      ? { key: "encryption.keyFile", origin: source.file }
      : { key: "encryption.keys", origin: "configuration" };
  const problems: ConfigProblem[] = [];
  const [first] = keys;
  if (!(await addKey(db, first.id)))
    problems.push({
      ...at,
      problem:
        `starts with the key ${first.id}, which a rotation has retired: use the keys that the other servers have now, or put a ` +
        "new key first, as written by `openssl rand -base64 32`",
    });
  for (const { id, usable } of await readKeys(db)) {
    if (!usable || keys.some((key) => key.id === id)) continue;
    const users = await columnsWith(db, columns, id);
    if (users.length > 0)
      problems.push({
        ...at,
        problem:
          `lacks the key ${id}, with which values of ${users.join(" and ")} are encrypted: add that key after the first one, ` +
          "for example from the backup that belongs to this database. docs/guides/operating.md says what to do if it is lost",
      });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

async function columnsWith(
  db: Queryable,
  columns: readonly EncryptedColumn[],
  id: string,
): Promise<string[]> {
  const used = await Promise.all(columns.map((column) => isUsed(db, column, id)));
  return columns.filter((_, i) => used[i] === true).map(({ name }) => name);
}
