import { describe, expect, test } from "vitest";
import { sql } from "./sql.ts";

describe("sql", () => {
  test("makes numbered parameters of values", () => {
    const query = sql`select * from t where a = ${1} and b = ${"x"}`;
    expect(query.text).toBe("select * from t where a = $1 and b = $2");
    expect(query.values).toEqual([1, "x"]);
  });

  test("renumbers the parameters of nested fragments in reading order", () => {
    const inner = sql`b between ${2} and ${3}`;
    const outer = sql`select ${1} where ${sql`(${inner}) or c = ${4}`} limit ${5}`;
    expect(outer.text).toBe("select $1 where (b between $2 and $3) or c = $4 limit $5");
    expect(outer.values).toEqual([1, 2, 3, 4, 5]);
  });
});
