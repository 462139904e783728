// Columns with encrypted values. Each service declares its own, so that the start and the rotation of keys cover all.
import type { Sql } from "../sql.ts";

/**
 * A column of type text whose values the key ring encrypts. Its migration also has
 *
 *     <column>_key_id text generated always as (split_part(<column>, ':', 2)) stored
 *       references encryption_keys (usable_id)
 *
 * and an index on it and the column that identifies the row.
 */
export interface EncryptedColumn {
  /** `<table>.<column>`. Part of what authenticates a value, so it must not change. */
  readonly name: string;
  readonly table: Sql;
  readonly column: Sql;
  /** The generated column with the id of the key. */
  readonly keyId: Sql;
  /** The column of type text that identifies the row. */
  readonly row: Sql;
  /** How many rows a statement of the rotation encrypts again: fewer where values are large. Default: 200. */
  readonly batch?: number;
}

/** Returns the context of a value: a value that was copied to another row or column cannot be decrypted. */
export const contextOf = ({ name }: Pick<EncryptedColumn, "name">, row: string): string =>
  `${name} of "${row}"`;
