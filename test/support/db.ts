// Creates a database for each test file, so that files with commits and notifications can run concurrently.
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { openDb, type Db, type DbOptions } from "../../src/server/core/db.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./databases.ts";

export interface TestDatabase {
  url: string;
  /** An open connection pool that checks every row against its schema. */
  db: Db;
  /** Closes `db` and drops the database, even if other connections are open. */
  drop(): Promise<void>;
}

/** Clones the migrated template, or creates a database without schema if `empty`. Drop it in `afterAll`. */
export async function testDatabase(
  options: Partial<DbOptions> & { empty?: boolean } = {},
): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const template = inject("templateDatabase");
  const name = `${template}_${randomBytes(6).toString("hex")}`;
  await createDatabase(server, name, options.empty ? "template0" : template);
  const url = databaseUrl(server, name);
  const db = openDb({ checkRows: true, ...options, url });
  return {
    url,
    db,
    async drop() {
      await db.close();
      await dropDatabase(server, name);
    },
  };
}
