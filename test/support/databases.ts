// Creates and drops databases on the server of the tests.
import pg from "pg";

const pools = new Map<string, pg.Pool>();

/**
 * Returns connections that are kept for the process, as creating and dropping databases takes two for each test file.
 * They do not keep the process running, and may end with the server.
 */
function keptConnections(url: string): pg.Pool {
  let pool = pools.get(url);
  if (pool === undefined) {
    pool = new pg.Pool({ connectionString: url, max: 4, idleTimeoutMillis: 0, allowExitOnIdle: true });
    pool.on("error", () => undefined);
    pools.set(url, pool);
  }
  return pool;
}

/** Runs statements one by one on a separate connection. */
export async function runOn(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Creates a database, empty or as a clone. `file_copy` takes 20 ms of CPU. `wal_log`, the default, takes 35 ms and writes
 * eight more megabytes; its advantage, no checkpoint, counts only where files are synchronized.
 */
export async function createDatabase(url: string, name: string, template = "template0"): Promise<void> {
  await keptConnections(url).query(`create database ${name} template ${template} strategy file_copy`);
}

/** Makes the sessions that begin from now on read-only, or no longer. Those of before keep what they have. */
export async function setReadOnly(url: string, isReadOnly: boolean): Promise<void> {
  const alter = `alter database %I set default_transaction_read_only = ${isReadOnly}`;
  await runOn(
    url,
    "set default_transaction_read_only = off",
    `do $$ begin execute format('${alter}', current_database()); end $$`,
  );
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await keptConnections(url).query(`drop database if exists ${name} with (force)`);
}

/** Drops a template database and its clones. */
export async function dropDatabases(url: string, template: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1)",
      [template],
    );
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  } finally {
    await client.end();
  }
}

/** Returns the URL of another database on the same server. */
export function databaseUrl(url: string, name: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/, `$1${name}`);
}
