// The plans of the index service's statements: each walks an index in its order, so that a page costs the same with ten
// million entries as with a thousand.
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../test/support/db.ts";
import { plansOf } from "../../../../test/support/plans.ts";
import { sql } from "../../core/sql.ts";
import {
  deleteEntry,
  deleteExpiredEntries,
  deleteExpiredNamespaces,
  listEntries,
  listNamespaces,
  readEntries,
  readEntry,
} from "./store/entries.ts";
import { writeEntries } from "./store/write-entries.ts";

const now = new Date().toISOString();
let database: TestDatabase;
beforeAll(async () => {
  // One connection, so that its prepared statements are those of this test.
  database = await testDatabase({ poolSize: 1 });
  await database.db.run(sql`
    insert into index_tasks (namespace, name, task_id, rank, data, expires)
    select 'n' || n / 100, n::text, 'x', 0, '{}', now() + interval '1 day' from generate_series(1, 5000) n`);
  await database.db.run(sql`
    insert into index_namespaces (parent, name, expires)
    select 'n' || n / 100, n::text, now() + interval '1 day' from generate_series(1, 5000) n`);
  await database.db.run(sql`vacuum analyze index_tasks, index_namespaces`);
});
afterAll(() => database.drop());

it("lists walk the primary key in its order, and stop at the limit", async () => {
  const { db } = database;
  expect(await listEntries(db, "n1", now, "", 3)).toHaveLength(3);
  expect(await listNamespaces(db, "n1", now, "", 3)).toHaveLength(3);
  const plans = await plansOf(db, (text) => text.includes("order by name limit"));
  expect(plans).toHaveLength(2);
  const text = plans.join("\n");
  expect(text).toMatch(/Index Scan using index_tasks_pkey[^\n]*\n\s+Index Cond: [^\n]*namespace[^\n]*name >/);
  expect(text).toMatch(
    /Index Scan using index_namespaces_pkey[^\n]*\n\s+Index Cond: [^\n]*parent[^\n]*name >/,
  );
  // Only the page, which the limit has bounded, may be sorted.
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|Bitmap|Limit[^]*Sort/);
});

it("entries are found, written and deleted by their keys", async () => {
  const { db } = database;
  const place = { namespace: "n1", name: "100" };
  await readEntry(db, place, now);
  await deleteEntry(db, place);
  await readEntries(db, [place], 3, 1000);
  await writeEntries(db, [{ path: "n1.100.x", taskId: "x", rank: 0, data: {}, expires: Date.now() }]);
  const plans = await plansOf(
    db,
    (text) => /\bindex_tasks\b/.test(text) && !/order by (name|expires)|generate_series|^vacuum/.test(text),
  );
  expect(plans).toHaveLength(4);
  for (const plan of plans) expect(plan).not.toMatch(/Seq Scan|Bitmap|Hash/);
  expect(plans.join("\n")).toMatch(/Index (Only )?Scan using index_namespaces_pkey/);
});

it("expired rows are found by their expiry", async () => {
  const { db } = database;
  await deleteExpiredEntries(db, now, 10);
  await deleteExpiredNamespaces(db, now, 10);
  const plans = await plansOf(db, (text) => text.includes("skip locked"));
  expect(plans).toHaveLength(2);
  for (const plan of plans) {
    expect(plan).toMatch(/Index Scan using index_(tasks|namespaces)_by_expiry/);
    expect(plan).not.toMatch(/Seq Scan|Sort/);
  }
});
