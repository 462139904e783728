// Rotates the encryption keys of an instance, from its configuration.
import { join } from "node:path";
import type { Config } from "./config/index.ts";
import { databaseStartError } from "./core/db-start-error.ts";
import { isUndefinedTable } from "./core/db-errors.ts";
import { DatabaseUnavailable, openDb } from "./core/db.ts";
import { runningPostgres } from "./core/embedded-postgres/running.ts";
import { keySourceOf } from "./core/encryption/key-source.ts";
import { rotateKeys, RotationError, type Rotation } from "./core/encryption/rotate-keys.ts";
import { encryptedColumns } from "./core/service.ts";
import { localKeyFile } from "./local.ts";
import { services } from "./services.ts";

export interface InstanceRotation extends Rotation {
  /** The file with the keys, or undefined if they are in the configuration. */
  readonly file: string | undefined;
}

/** Rotates the keys while the servers of the instance run. Throws an error that says what to do. */
export async function rotateEncryptionKeys(config: Config): Promise<InstanceRotation> {
  const url = config.database.url ?? (await runningPostgres(join(config.home, "postgres")));
  if (url === undefined)
    throw new RotationError(
      `no database is running in ${config.home}: start \`taskyard up\` first, or set DATABASE_URL and the encryption keys as for \`taskyard serve\``,
    );
  const source = keySourceOf(config) ?? { file: localKeyFile(config.home) };
  const { statementTimeout: statementTimeoutMs } = config.database;
  const db = openDb({ url, poolSize: 3, statementTimeoutMs });
  try {
    const rotation = await rotateKeys({ db, source, columns: encryptedColumns(await services.load()) });
    return { ...rotation, file: "file" in source ? source.file : undefined };
  } catch (err) {
    if (err instanceof DatabaseUnavailable) throw databaseStartError(url, err.cause);
    if (isUndefinedTable(err))
      throw new RotationError("the tables are of an older version: start a server of this version first");
    throw err;
  } finally {
    await db.close();
  }
}
