// Upgrades a database to the schema of this version: applies each numbered migration once, then the stored functions.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { DatabaseUnavailable, outageOf } from "../core/db-errors.ts";

export interface MigrateOptions {
  url: string;
  /** Folder with `migrations/NNNN-name.sql` and `functions/*.sql`. Default: the files of this version. */
  folder?: URL;
  log?: Record<"info" | "debug", (fields: object, message: string) => void>;
}

export interface MigrateResult {
  /** Names of the migrations and functions that this call applied, in order. */
  migrations: string[];
  functions: string[];
}

interface SqlFile {
  /** File name without `.sql`. */
  name: string;
  text: string;
  checksum: string;
}

interface Applied {
  name: string;
  checksum: string;
  breaking: boolean;
}

/** The SQL files are in the folder of this module, in `src` and also in `dist`, where the build copies them. */
const ownFolder = new URL("./", import.meta.url);

/** A migration failed or must not be applied. The message has the file and a remedy. */
export class MigrationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MigrationError";
  }
}

/**
 * Applies pending migrations and functions. Any number of processes may call it concurrently: each step takes an advisory
 * lock for its transaction and checks again what is pending, so the others wait and then have nothing to do.
 *
 * Throws MigrationError for an edited or invalid file, or a database that is too new for this version, and
 * DatabaseUnavailable if it cannot be reached.
 */
export async function migrate({ url, folder = ownFolder, log }: MigrateOptions): Promise<MigrateResult> {
  const migrations = await readSqlFiles(new URL("migrations/", folder));
  checkNames(migrations);
  const functions = await readSqlFiles(new URL("functions/", folder));
  const client = new pg.Client({
    connectionString: url,
    application_name: "taskyard migrate",
    connectionTimeoutMillis: 10_000,
  });
  // If the connection breaks between two statements, the next one reports it.
  client.on("error", () => undefined);
  const done: MigrateResult = { migrations: [], functions: [] };
  try {
    await client.connect().catch((err: unknown) => {
      throw new DatabaseUnavailable(err, outageOf(err));
    });
    // One transaction per migration: if a long backfill fails, the migrations before it stay applied.
    while (await withLock(client, log, () => applyNext(client, migrations, done))) {
      log?.debug({ migration: done.migrations.at(-1) }, "migration applied");
    }
    await withLock(client, log, () => applyFunctions(client, migrations, functions, done));
    for (const name of done.functions) log?.debug({ function: name }, "stored function applied");
    const applied = { migrations: done.migrations.length, functions: done.functions.length };
    if (applied.migrations + applied.functions > 0)
      log?.info(applied, "the database schema is up to date now");
  } catch (err) {
    const outage = outageOf(err);
    throw outage === undefined || err instanceof DatabaseUnavailable
      ? err
      : new DatabaseUnavailable(err, outage);
  } finally {
    await client.end().catch(() => undefined);
  }
  return done;
}

async function withLock<R>(
  client: pg.Client,
  log: MigrateOptions["log"],
  body: () => Promise<R>,
): Promise<R> {
  await client.query("begin");
  try {
    const { rows } = await client.query<{ free: boolean }>(
      "select pg_try_advisory_xact_lock(hashtextextended('taskyard migrate', 0)) as free",
    );
    if (rows[0]?.free !== true) {
      log?.info({}, "another process is migrating the database; waiting for it");
      await client.query("select pg_advisory_xact_lock(hashtextextended('taskyard migrate', 0))");
    }
    const result = await body();
    await client.query("commit");
    return result;
  } catch (err) {
    await client.query("rollback").catch(() => undefined);
    throw err;
  }
}

/** Applies the first pending migration. Returns false if there is none. */
async function applyNext(client: pg.Client, files: SqlFile[], done: MigrateResult): Promise<boolean> {
  await createTables(client);
  const { rows } = await client.query<Applied>(
    `select name, checksum, breaking from schema_migrations order by name collate "C"`,
  );
  checkHistory(files, rows);
  const next = files[rows.length];
  if (next === undefined || rows.length > files.length) return false;
  await apply(client, "migrations", next);
  await client.query("insert into schema_migrations (name, checksum, breaking) values ($1, $2, $3)", [
    next.name,
    next.checksum,
    isBreaking(next),
  ]);
  done.migrations.push(next.name);
  return true;
}

// Checks first: `create table if not exists` requires the privilege to create tables even if they exist, and the role
// of a server may lack it if an administrator runs the migrations.
async function createTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    "select to_regclass('schema_functions') is not null as exists",
  );
  if (rows[0]?.exists === true) return;
  await client.query(`
    create table schema_migrations (
      name text primary key,
      checksum text not null,
      breaking boolean not null,
      applied_at timestamptz not null default now()
    );
    create table schema_functions (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`);
}

/** Refuses a database whose history differs from our files, or continues after them with a breaking migration. */
function checkHistory(files: readonly SqlFile[], applied: readonly Applied[]): void {
  applied.forEach((row, i) => {
    const file = files[i];
    if (file === undefined) {
      if (!row.breaking) return;
      throw new MigrationError(
        `The database is too new for this version of Taskyard: migration ${row.name} changed it in a way that ` +
          `this version cannot work with. Start the version that applied it, or a newer one.`,
      );
    }
    if (file.name !== row.name) {
      throw new MigrationError(
        `The database has migration ${row.name} where this version has ${file.name}. ` +
          `Migrations may only be appended: check whether one was renamed, removed or inserted.`,
      );
    }
    if (file.checksum !== row.checksum) {
      throw new MigrationError(
        `src/server/db/migrations/${file.name}.sql was edited after it had been applied to this database. ` +
          `Restore the file, and make the change in a new migration.`,
      );
    }
  });
}

async function applyFunctions(
  client: pg.Client,
  migrations: SqlFile[],
  functions: SqlFile[],
  done: MigrateResult,
): Promise<void> {
  // A newer version has migrated this database. Its functions match its schema, and must not be replaced by ours.
  const { rows: count } = await client.query<{ n: string }>(
    "select count(*)::text as n from schema_migrations",
  );
  if (Number(count[0]?.n) > migrations.length) return;
  const { rows } = await client.query<Pick<Applied, "name" | "checksum">>(
    "select name, checksum from schema_functions",
  );
  const known = new Map(rows.map((row) => [row.name, row.checksum]));
  for (const file of functions) {
    if (known.get(file.name) === file.checksum) continue;
    await apply(client, "functions", file);
    await client.query(
      `insert into schema_functions (name, checksum) values ($1, $2)
       on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`,
      [file.name, file.checksum],
    );
    done.functions.push(file.name);
  }
}

async function apply(client: pg.Client, folder: string, file: SqlFile): Promise<void> {
  try {
    await client.query(file.text);
  } catch (err) {
    if (!(err instanceof pg.DatabaseError) || outageOf(err) !== undefined) throw err;
    const line = err.position === undefined ? "" : `:${lineOf(file.text, Number(err.position))}`;
    throw new MigrationError(
      `src/server/db/${folder}/${file.name}.sql${line}: ${err.message}. Nothing of it was applied: correct the cause and start again.`,
      {
        cause: err,
      },
    );
  }
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position - 1).split("\n").length;
}

function checkNames(files: readonly SqlFile[]): void {
  const numbers = new Map<string, string>();
  for (const { name } of files) {
    const number = /^(\d{4})-[a-z0-9-]+$/.exec(name)?.[1];
    if (number === undefined) {
      throw new MigrationError(
        `src/server/db/migrations/${name}.sql must have a name such as 0001-first-tables.sql: rename it.`,
      );
    }
    const other = numbers.get(number);
    if (other !== undefined) {
      throw new MigrationError(
        `The migrations ${other}.sql and ${name}.sql have the same number: renumber one.`,
      );
    }
    numbers.set(number, name);
  }
}

function isBreaking(file: SqlFile): boolean {
  return /^--\s*breaking\s*$/.test(file.text.split("\n", 1)[0] ?? "");
}

async function readSqlFiles(folder: URL): Promise<SqlFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name) => {
      // Line endings are normalized, since git may check files out with CRLF.
      const text = (await readFile(new URL(encodeURIComponent(name), folder), "utf8")).replaceAll(
        "\r\n",
        "\n",
      );
      const checksum = createHash("sha256").update(text).digest("hex");
      return { name: name.slice(0, -".sql".length), text, checksum };
    }),
  );
}
