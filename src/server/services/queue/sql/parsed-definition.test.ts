// Definitions with texts that PostgreSQL's JSON functions refuse.
import fc from "fast-check";
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { sql } from "../../../core/sql.ts";
import { parsedDefinition } from "./parsed-definition.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
});
afterAll(() => database.drop());

/** Reads the member `name` of each definition in one statement. */
async function namesOf(definitions: readonly object[]): Promise<unknown[]> {
  const texts = definitions.map((definition) => JSON.stringify(definition));
  const rows = await database.db.many(
    Type.Object({ name: Type.String() }),
    sql`select (${parsedDefinition(sql`d`)} -> 'name')::text as name
      from unnest(${texts}::text[]) with ordinality as t (d, n) order by n`,
  );
  return rows.map(({ name }) => JSON.parse(name) as unknown);
}

it.each([
  ["a NUL character", "a\0b", "a\ufffdb"],
  ["several in a row", "\0\0\0", "\ufffd\ufffd\ufffd"],
  ["the first half of a surrogate pair", "\ud83dx", "\ufffdx"],
  ["the second half", "x\udc00", "x\ufffd"],
  ["halves in the wrong order", "\udc00\ud83d", "\ufffd\ufffd"],
  ["a whole pair beside a half", "😀\ud83d", "😀\ufffd"],
  ["NUL after a backslash", "\\\0", "\\\ufffd"],
])("%s is replaced, in the name and elsewhere", async (_, text, expected) => {
  expect(await namesOf([{ name: text }, { name: "n", payload: { [text]: text } }])).toEqual([expected, "n"]);
});

it("a backslash before u0000 or ud800 is text, and stays", async () => {
  const names = ["\\u0000", "\\ud800", "\\\\u0000", "C:\\users\\u0000", "\\u001b \u001b[1m"];
  expect(await namesOf(names.map((name) => ({ name })))).toEqual(names);
});

it("any name is read, and differs only in what is replaced", async () => {
  const unit = fc.constantFrom(
    "\\",
    "u",
    "0000",
    "\\u0000",
    "d800",
    "\0",
    "\ud800",
    "\udc00",
    "😀",
    '"',
    "\n",
  );
  const names = fc.sample(fc.string({ unit, maxLength: 8 }), { numRuns: 2_000, seed: 1 });
  expect(await namesOf(names.map((name) => ({ name })))).toEqual(
    names.map((name) => name.replaceAll(/[\0\p{Surrogate}]/gu, "\ufffd")),
  );
});
