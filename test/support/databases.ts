// Databases by name on the tests' server.
import pg from "pg";

/** Runs statements one by one on a connection of their own. */
export async function runOn(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Makes a database, empty or as a clone. `wal_log` copies 55 ms' worth of blocks; the default would force checkpoints. */
export async function createDatabase(url: string, name: string, template = "template0"): Promise<void> {
  await runOn(url, `create database ${name} template ${template} strategy wal_log`);
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await runOn(url, `drop database if exists ${name} with (force)`);
}

/** The same server, another database. */
export function databaseUrl(url: string, name: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}
