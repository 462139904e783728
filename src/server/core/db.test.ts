import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "../../../test/support/db.ts";
import { sql } from "./sql.ts";

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});
afterAll(() => t.drop());

describe("rows", () => {
  test("carry the values of the statement", async () => {
    const row = await t.db.maybeOne(Type.Object({ n: Type.Integer() }), sql`select ${7}::int8 as n`);
    expect(row).toEqual({ n: 7 });
  });
});
