// A database of its own for each test file, so that files run side by side with commits and notifications.
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { openDb, type Db, type DbOptions } from "../../src/server/core/db.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./databases.ts";

export interface TestDatabase {
  url: string;
  /** Open on it, with every row checked against its schema. */
  db: Db;
  /** Closes `db` and drops the database, whoever else is still connected. */
  drop(): Promise<void>;
}

/** A fresh clone of the migrated template; `empty` gives one without any schema. Drop it in `afterAll`. */
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
