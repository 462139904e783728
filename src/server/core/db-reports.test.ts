// The pool for statements that read whole tables.
import { Type } from "typebox";
import { expect, test } from "vitest";
import { allNotes, notesDatabase, Notes } from "../../../test/support/notes-database.ts";
import { DatabaseUnavailable, openDb, type Queryable } from "./db.ts";
import { sql } from "./sql.ts";

const t = notesDatabase();
const { open } = t;

const Plan = Type.Object({ "QUERY PLAN": Type.String() });
const planOf = async (db: Queryable): Promise<string> => {
  const lines = await db.many(Plan, sql`explain select count(*), max(body) from notes where id > 10`);
  return lines.map((line) => line["QUERY PLAN"]).join("\n");
};

test("reports over nearly a whole table scan it sequentially, where other statements walk an index", async () => {
  await t.db.run(sql`insert into notes (id, body) select i, 'body' from generate_series(1, 5000) i`);
  await t.db.run(sql`vacuum analyze notes`);
  const db = open();
  expect(await planOf(db.reports)).toMatch(/^Aggregate .*\n +-> +Seq Scan on notes/);
  expect(await planOf(db)).toMatch(/Index Scan using notes_pkey on notes/);
});

test("reports have connections of their own", async () => {
  const db = open({ poolSize: 1 });
  await db.tx(async () => {
    expect(await db.reports.maybeOne(Notes, allNotes)).toBeUndefined();
  });
});

test("reports end with the pool", async () => {
  const db = openDb({ url: t.url });
  await db.reports.run(sql`select`);
  await db.close();
  await expect(db.reports.run(sql`select`)).rejects.toBeInstanceOf(DatabaseUnavailable);
  const unused = openDb({ url: t.url });
  await unused.close();
  await expect(unused.reports.run(sql`select`)).rejects.toBeInstanceOf(DatabaseUnavailable);
});
