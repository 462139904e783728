// The topics that statements and transactions wake.
import { beforeEach, expect, test } from "vitest";
import { addNote, allNotes, notesDatabase, Notes } from "../../../test/support/notes-database.ts";
import { isUniqueViolation } from "./db.ts";
import { waking } from "./sql.ts";

const t = notesDatabase();
const { open } = t;

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
