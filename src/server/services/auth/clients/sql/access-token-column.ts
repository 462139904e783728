// The column with the access tokens, which are encrypted.
import type { EncryptedColumn } from "../../../../core/encryption/encrypted-column.ts";
import { sql } from "../../../../core/sql.ts";

export const accessTokens: EncryptedColumn = {
  name: "clients.access_token",
  table: sql`clients`,
  column: sql`access_token`,
  keyId: sql`access_token_key_id`,
  row: sql`client_id`,
};
