import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Type } from "typebox";
import { expect, onTestFinished, test } from "vitest";
import { runOn } from "../../../test/support/databases.ts";
import { testDatabase } from "../../../test/support/db.ts";
import { testMonitor } from "../../../test/support/monitor.ts";
import { DatabaseUnavailable, type Db } from "../core/db.ts";
import { sql } from "../core/sql.ts";
import { migrate, MigrationError } from "./migrate.ts";

const first = "create table notes (id int4 primary key);";
const second = "alter table notes add body text;";
const functions = { twice: "create or replace function twice(n int4) returns int4 return n * 2;" };

/** Creates an empty database and a folder of SQL files. `write` replaces the files. */
async function setup() {
  const { url, db, drop } = await testDatabase({ empty: true });
  const folder = await mkdtemp(path.join(tmpdir(), "taskyard-migrate-"));
  onTestFinished(async () => {
    await drop();
    await rm(folder, { recursive: true });
  });
  const write = async (migrations: Record<string, string>, sources: Record<string, string> = {}) => {
    for (const [kind, files] of Object.entries({ migrations, functions: sources })) {
      await rm(path.join(folder, kind), { recursive: true, force: true });
      await mkdir(path.join(folder, kind));
      for (const [name, text] of Object.entries(files))
        await writeFile(path.join(folder, kind, `${name}.sql`), text);
    }
  };
  return { url, db, write, run: (as = url) => migrate({ url: as, folder: pathToFileURL(`${folder}/`) }) };
}

const tables = async (db: Db): Promise<string[]> => {
  const rows = await db.many(
    Type.Object({ name: Type.String() }),
    sql`select relname::text as name from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'schema_%' order by relname`,
  );
  return rows.map((row) => row.name);
};

const twice = async (db: Db, n: number): Promise<number | undefined> =>
  (await db.maybeOne(Type.Object({ n: Type.Integer() }), sql`select twice(${n}::int4) as n`))?.n;

test("applies migrations in order, then functions, each once", async () => {
  const { db, write, run } = await setup();
  await write({ "0002-second": second, "0001-first": first }, functions);
  expect(await run()).toEqual({ migrations: ["0001-first", "0002-second"], functions: ["twice"] });
  expect(await twice(db, 4)).toBe(8);
  expect(await run()).toEqual({ migrations: [], functions: [] });
});

test("logs one line for all that it applied, and none if there was nothing to apply", async () => {
  const { url } = await setup();
  const { monitor, records } = testMonitor();
  await migrate({ url, log: monitor.log });
  await migrate({ url, log: monitor.log });
  const shown = records.filter(({ level }) => level === "info");
  expect(shown).toMatchObject([
    {
      msg: "the database schema is up to date now",
      migrations: expect.any(Number),
      functions: expect.any(Number),
    },
  ]);
});

test("applies new migrations", async () => {
  const { write, run } = await setup();
  await write({ "0001-first": first });
  await run();
  await write({ "0001-first": first, "0002-second": second });
  expect((await run()).migrations).toEqual(["0002-second"]);
});

test("applies only functions whose source has changed", async () => {
  const { db, write, run } = await setup();
  const other = "create or replace function other() returns int4 return 1;";
  await write({}, { ...functions, other });
  await run();
  await write({}, { twice: functions.twice.replace("n * 2", "n + n + 1"), other });
  expect((await run()).functions).toEqual(["twice"]);
  expect(await twice(db, 4)).toBe(9);
});

test("refuses an edited migration that was already applied, with its file and a remedy", async () => {
  const { write, run } = await setup();
  await write({ "0001-first": first });
  await run();
  await write({ "0001-first": `${first} -- harmless?` });
  await expect(run()).rejects.toThrow(
    "src/server/db/migrations/0001-first.sql was edited after it had been applied to this database. " +
      "Restore the file, and make the change in a new migration.",
  );
});

test("ignores changed line endings", async () => {
  const { write, run } = await setup();
  await write({ "0001-first": `-- Notes.\n${first}\n` });
  await run();
  await write({ "0001-first": `-- Notes.\r\n${first}\r\n` });
  expect(await run()).toEqual({ migrations: [], functions: [] });
});

test("refuses a migration that was inserted before applied ones", async () => {
  const { write, run } = await setup();
  await write({ "0002-second": first });
  await run();
  await write({ "0001-late": second, "0002-second": first });
  await expect(run()).rejects.toThrow(
    "The database has migration 0002-second where this version has 0001-late.",
  );
});

test("rolls back a migration that fails, keeps those before it, and reports file, line and reason", async () => {
  const { db, write, run } = await setup();
  await write({
    "0001-first": first,
    "0002-bad": "create table half (id int4);\n\nselect nonsense from notes;",
  });
  await expect(run()).rejects.toThrow(
    'src/server/db/migrations/0002-bad.sql:3: column "nonsense" does not exist',
  );
  expect(await tables(db)).toEqual(["notes"]);
  await write({ "0001-first": first, "0002-good": second });
  expect((await run()).migrations).toEqual(["0002-good"]);
});

test("reports the file and line of a function that fails", async () => {
  const { write, run } = await setup();
  await write({}, { broken: "create or replace function broken() returns int4 return 'x'::nonsense;" });
  await expect(run()).rejects.toThrow(
    /^src\/server\/db\/functions\/broken\.sql:1: type "nonsense" does not exist\. Nothing of it was applied: correct the cause/,
  );
});

test("applies each migration once if several processes start concurrently", async () => {
  const { db, write, run } = await setup();
  await write({ "0001-first": `select pg_sleep(0.2); ${first}`, "0002-second": second }, functions);
  const results = await Promise.all([run(), run(), run(), run()]);
  expect(results.flatMap((result) => result.migrations).toSorted()).toEqual(["0001-first", "0002-second"]);
  expect(results.flatMap((result) => result.functions)).toEqual(["twice"]);
  expect(await tables(db)).toEqual(["notes"]);
});

test("accepts a newer database, and keeps its newer functions", async () => {
  const { db, write, run } = await setup();
  const newer = { twice: functions.twice.replace("n * 2", "n * 2 + 0") };
  await write({ "0001-first": first, "0002-second": second }, newer);
  await run();
  await write({ "0001-first": first }, { twice: functions.twice.replace("n * 2", "n * 3") });
  expect(await run()).toEqual({ migrations: [], functions: [] });
  expect(await twice(db, 4)).toBe(8);
});

test("refuses a newer database with a breaking migration", async () => {
  const { write, run } = await setup();
  await write({ "0001-first": first, "0002-second": `-- breaking\n${second}`, "0003-third": "select 1;" });
  await run();
  await write({ "0001-first": first });
  await expect(run()).rejects.toThrow(
    "The database is too new for this version of Taskyard: migration 0002-second changed it in a way that this " +
      "version cannot work with. Start the version that applied it, or a newer one.",
  );
});

test("refuses file names without a number or with the same number", async () => {
  const { write, run } = await setup();
  await write({ first });
  await expect(run()).rejects.toThrow(
    "src/server/db/migrations/first.sql must have a name such as 0001-first-tables.sql: rename it.",
  );
  await write({ "0001-a": first, "0001-b": second });
  await expect(run()).rejects.toThrow(
    "The migrations 0001-a.sql and 0001-b.sql have the same number: renumber one.",
  );
});

test("works for a role without the privilege to create tables if nothing is pending", async () => {
  const { url, write, run } = await setup();
  await write({ "0001-first": first }, functions);
  await run();
  const role = `reader_${process.pid}`;
  await runOn(
    url,
    "revoke create on schema public from public",
    `create role ${role}`,
    `grant usage on schema public to ${role}`,
    `grant select on all tables in schema public to ${role}`,
  );
  onTestFinished(() => runOn(url, `drop owned by ${role}`, `drop role ${role}`));
  // The embedded server accepts no other user of the socket, so the session takes the role.
  const asReader = `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${role}`)}`;
  await expect(runOn(asReader, "create table mine (id int4)")).rejects.toThrow("permission denied");
  expect(await run(asReader)).toEqual({ migrations: [], functions: [] });
});

test("throws DatabaseUnavailable if the database cannot be reached", async () => {
  const attempt = migrate({ url: "postgres://x@127.0.0.1:1/x" });
  await expect(attempt).rejects.toBeInstanceOf(DatabaseUnavailable);
  await expect(attempt).rejects.not.toBeInstanceOf(MigrationError);
});

test("applies the migrations of this version to an empty database", async () => {
  const { url, drop } = await testDatabase({ empty: true });
  onTestFinished(drop);
  const { migrations } = await migrate({ url });
  expect(migrations.length).toBeGreaterThan(0);
  expect(await migrate({ url })).toEqual({ migrations: [], functions: [] });
});

test("gives groups of earlier versions the time of their first task, or else that of the migration", async () => {
  const { db, write, run } = await setup();
  const folder = new URL("migrations/", import.meta.url);
  const names = (await readdir(folder))
    .filter((name) => name.endsWith(".sql"))
    .map((name) => name.slice(0, -4));
  const upTo = async (last: string) => {
    const some = names.filter((name) => name <= last);
    await write(
      Object.fromEntries(
        await Promise.all(
          some.map(async (name) => [name, await readFile(new URL(`${name}.sql`, folder), "utf8")] as const),
        ),
      ),
    );
    await run();
  };
  await upTo("0014");
  await db.run(sql`
    with g as (
      insert into task_groups (task_group_id, scheduler_id, expires, unresolved)
      select id, '-', now(), 0 from unnest(array['with', 'without']) id
    )
    insert into tasks (
      task_id, task_group_id, task_queue_id, scheduler_id, project_id, priority, retries, retries_left, run_count,
      unsatisfied, deadline, expires, routes, tags, created
    )
    select n, 'with', 'a/b', '-', '-', 1, 0, 0, 0, 0, now(), now(), '{}', '{}', '2026-01-01Z'::timestamptz + n * interval '1 day'
    from generate_series(1, 3) n`);
  await upTo("0014-creation-times");
  const Group = Type.Object({ id: Type.String(), first: Type.Boolean(), recent: Type.Boolean() });
  const groups = await db.many(
    Group,
    sql`
    select task_group_id as id, created = '2026-01-02Z' as first, created > now() - interval '10 minutes' as recent
    from task_groups order by 1`,
  );
  expect(groups).toEqual([
    { id: "with", first: true, recent: false },
    { id: "without", first: false, recent: true },
  ]);
});
