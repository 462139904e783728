import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { runOn } from "../../../test/support/databases.ts";
import { testDatabase } from "../../../test/support/db.ts";
import { dumpSchema } from "./dump-schema.ts";

/** Returns the dump of a database after these statements. */
async function dumpAfter(...statements: string[]): Promise<string> {
  const { url, db, drop } = await testDatabase({ empty: true });
  onTestFinished(drop);
  await runOn(url, ...statements);
  return dumpSchema(db);
}

test("schema.sql is the result of the migrations", async () => {
  const { db, drop } = await testDatabase();
  onTestFinished(drop);
  const committed = await readFile(new URL("schema.sql", import.meta.url), "utf8");
  const [header, ...rest] = committed.split("\n\n");
  expect(header).toContain("npm run generate");
  expect(rest.join("\n\n"), "run `npm run generate` and commit src/server/db/schema.sql").toBe(
    await dumpSchema(db),
  );
});

test("an empty database has no schema", async () => {
  expect(await dumpAfter()).toBe("");
});

test("tables are written with columns, constraints, indexes, triggers and options", async () => {
  const dump = await dumpAfter(
    "create type mood as enum ('good', 'it''s bad')",
    "create table parents (id int4 primary key)",
    `create table "Things" (
      id bigint generated always as identity primary key,
      name text collate "C" not null default 'x' constraint named check (name <> ''),
      dropped int4,
      twice int4 generated always as (length(name) * 2) stored,
      blob bytea,
      parent int4 references parents on delete cascade,
      mood mood
    ) with (fillfactor = 70)`,
    `alter table "Things" drop column dropped, alter blob set storage external`,
    `create unique index by_name on "Things" (lower(name)) where parent is null`,
    "create function touch() returns trigger language plpgsql as 'begin return new; end'",
    `create trigger touched before update on "Things" for each row execute function touch()`,
  );
  expect(dump).toBe(`create type mood as enum ('good', 'it''s bad');

create table "Things" (
  id bigint generated always as identity,
  name text collate "C" default 'x'::text not null,
  twice integer generated always as ((length(name) * 2)) stored,
  blob bytea storage external,
  parent integer,
  mood mood,
  constraint "Things_pkey" PRIMARY KEY (id),
  constraint "Things_parent_fkey" FOREIGN KEY (parent) REFERENCES parents(id) ON DELETE CASCADE,
  constraint named CHECK ((name <> ''::text))
) with (fillfactor=70);
CREATE UNIQUE INDEX by_name ON public."Things" USING btree (lower(name)) WHERE (parent IS NULL);
CREATE TRIGGER touched BEFORE UPDATE ON public."Things" FOR EACH ROW EXECUTE FUNCTION touch();

create table parents (
  id integer not null,
  constraint parents_pkey PRIMARY KEY (id)
);

CREATE OR REPLACE FUNCTION public.touch()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$begin return new; end$function$
;
`);
});

test("partitions are omitted", async () => {
  const dump = await dumpAfter(
    "create table log (day date not null, line text) partition by range (day)",
    "create index log_day on log (day)",
    "create table log_2026 partition of log for values from ('2026-01-01') to ('2027-01-01')",
  );
  expect(dump).toBe(`create table log (
  day date not null,
  line text
) partition by RANGE (day);
CREATE INDEX log_day ON ONLY public.log USING btree (day);
`);
});

test("sequences, views and functions are written, except those of extensions", async () => {
  const dump = await dumpAfter(
    "create extension pgcrypto",
    "create sequence ids as int4 start 5 cache 20",
    "create table notes (id serial, body text)",
    "create view long as select id from notes where length(body) > 9",
    "create function twice(n int4) returns int4 immutable return n * 2",
  );
  expect(dump).toContain("create sequence ids as integer increment by 1 start with 5 cache 20;\n");
  expect(dump).toContain("create sequence notes_id_seq");
  // PostgreSQL 15 includes the table's name.
  expect(dump).toMatch(/^create view long as\n SELECT (notes\.)?id\n/m);
  expect(dump).toContain("CREATE OR REPLACE FUNCTION public.twice(n integer)");
  expect(dump).not.toContain("pgp_sym_encrypt");
});
