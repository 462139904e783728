// The topics that statements and transactions wake.
import { Type } from "typebox";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../test/support/db.ts";
import { isUniqueViolation, openDb, type Db, type DbOptions } from "./db.ts";
import { sql, waking } from "./sql.ts";

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase({ empty: true });
  await t.db.run(sql`create table notes (id int4 primary key, body text not null)`);
});
beforeEach(() => t.db.run(sql`truncate notes`));
afterAll(() => t.drop());

/** A pool of its own, closed at the end of the test. */
function open(options: Partial<DbOptions> = {}): Db {
  const db = openDb({ url: t.url, checkRows: true, ...options });
  onTestFinished(() => db.close());
  return db;
}

const Notes = Type.Object({ id: Type.Integer(), body: Type.String() });
const allNotes = sql`select id, body from notes order by id`;
const addNote = (id: number, body = "") => sql`insert into notes (id, body) values (${id}, ${body})`;
const woken: string[] = [];
beforeEach(() => void woken.splice(0));
const wake = (topic: string): void => void woken.push(topic);
/** Wakes `rows <count>` after a statement with a result, and `any` in any case. */
const waker = (id: number) =>
  waking(({ rowCount }) => [...(rowCount ? [`rows ${rowCount}`] : []), "any"], addNote(id));

test("topics are woken after a statement, with its result", async () => {
  const db = open({ wake });
  await db.run(waker(1));
  expect(woken).toEqual(["rows 1", "any"]);
});

test("topics that depend on the result are not woken after a statement that failed", async () => {
  const db = open({ wake });
  await t.db.run(addNote(1));
  await expect(db.run(waker(1))).rejects.toSatisfy((err) => isUniqueViolation(err));
  expect(woken).toEqual(["any"]);
});

test("the topics of a transaction are woken once, after its commit", async () => {
  let seen: Promise<unknown[]> | undefined;
  const db = open({
    wake: (topic) => {
      wake(topic);
      seen ??= t.db.many(Notes, allNotes);
    },
  });
  await db.tx(async (tx) => {
    await tx.run(waker(1));
    await tx.run(waker(2));
    expect(woken).toEqual([]);
  });
  expect(woken).toEqual(["rows 1", "any"]);
  expect(await seen).toHaveLength(2);
});

test("the topics of a transaction are woken after a rollback too, since its locks may have made others skip rows", async () => {
  const db = open({ wake });
  await t.db.run(addNote(2));
  const attempt = db.tx(async (tx) => {
    await tx.run(waker(1));
    await tx.run(waker(2));
  });
  await expect(attempt).rejects.toSatisfy((err) => isUniqueViolation(err));
  expect(woken).toEqual(["rows 1", "any"]);
});
