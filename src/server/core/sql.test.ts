import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sql, waking, type Sql } from "./sql.ts";

describe("sql", () => {
  test("turns values into numbered parameters", () => {
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

  test("accepts the same fragment several times without changing it", () => {
    const later = sql`at > ${9}`;
    expect(sql`${later} and ${later}`).toMatchObject({ text: "at > $1 and at > $2", values: [9, 9] });
    expect(later).toMatchObject({ text: "at > $1", values: [9] });
  });

  test("never takes text from a value, not even from one that looks like a fragment", () => {
    const forged = { text: "; drop table t", values: [], strings: ["; drop table t"], args: [] };
    expect(sql`select ${forged}`).toMatchObject({ text: "select $1", values: [forged] });
    expect(sql`select ${"$1; --"}`.text).toBe("select $1");
  });

  test("passes undefined, null and arrays as values", () => {
    expect(sql`${undefined} ${null} ${[1, 2]}`).toMatchObject({
      text: "$1 $2 $3",
      values: [undefined, null, [1, 2]],
    });
  });

  test("has the same text for all calls from one place, with their own values", () => {
    const byId = (id: number): Sql => sql`select ${id} where ${sql`a = ${id + 1}`}`;
    expect(byId(5).text).toBe(byId(1).text);
    expect(byId(5).values).toEqual([5, 6]);
  });

  test("distinguishes fragments that come from one place", () => {
    const order = (column: Sql): Sql => sql`order by ${column}`;
    expect(order(sql`id`).text).toBe("order by id");
    expect(order(sql`name`).text).toBe("order by name");
    expect(order(sql`f(${1})`).text).toBe("order by f($1)");
  });

  test("numbers the parameters of any nesting 1 to n, each at the place of its value", () => {
    interface Tree {
      parts: (number | Tree)[];
    }
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.record({
        parts: fc.array(fc.oneof({ depthSize: "small" }, fc.nat(), tie("tree")), { maxLength: 5 }),
      }),
    }));
    // One place in the source per number of parts, with values and fragments at every position.
    const places = new Map<number, TemplateStringsArray>();
    const place = (parts: number): TemplateStringsArray => {
      const strings = places.get(parts) ?? Object.assign(Array<string>(parts + 1).fill("·"), { raw: [] });
      places.set(parts, strings);
      return strings;
    };
    const build = ({ parts }: Tree): Sql =>
      sql(place(parts.length), ...parts.map((part) => (typeof part === "number" ? part : build(part))));
    const leaves = ({ parts }: Tree): number[] =>
      parts.flatMap((part) => (typeof part === "number" ? [part] : leaves(part)));
    const outline = ({ parts }: Tree): string =>
      parts.reduce((text: string, part) => `${text}${typeof part === "number" ? "$" : outline(part)}·`, "·");
    const mirror = ({ parts }: Tree): Tree => ({
      parts: parts.map((part) => (typeof part === "number" ? part : mirror(part))).toReversed(),
    });
    const check = (spec: Tree): void => {
      const query = build(spec);
      const values = leaves(spec);
      expect(query.values).toEqual(values);
      expect(query.text.match(/\d+/g) ?? []).toEqual(values.map((_, i) => String(i + 1)));
      expect(query.text.replaceAll(/\d/g, "")).toBe(outline(spec));
    };
    fc.assert(
      fc.property(tree, (spec) => {
        check(spec);
        // The same places in another order must not share a text.
        check(mirror(spec));
      }),
    );
  });
});

describe("waking", () => {
  const result = { rows: [{ a: 1 }], rowCount: 1 };
  const topics = (query: Sql): string[] => (query.wakes ?? []).flatMap((wake) => [...wake(result)]);

  test("does not change text and values", () => {
    const fragment = sql`a = ${1} and ${sql`b = ${2}`}`;
    const woken = waking(() => ["x"], fragment);
    expect(woken).toMatchObject({ text: fragment.text, values: fragment.values });
    expect(fragment.wakes).toBeUndefined();
  });

  test("is collected from the fragments of a statement, however deep they are", () => {
    const inner = waking(() => ["inner"], sql`inner`);
    const middle = waking(() => ["middle"], sql`middle ${inner}`);
    expect(topics(sql`${1} ${sql`deep ${middle}`} ${waking(() => ["other"], sql`other`)}`)).toEqual([
      "inner",
      "middle",
      "other",
    ]);
    expect(sql`select ${1} ${sql`none`}`.wakes).toBeUndefined();
  });

  test("depends on the values of each call, unlike the text", () => {
    const byId = (id: number): Sql => waking(() => [`id ${id}`], sql`select ${id}`);
    expect(byId(1).text).toBe(byId(2).text);
    expect([byId(1), byId(2)].map(topics)).toEqual([["id 1"], ["id 2"]]);
  });

  test("gets the result of the statement", () => {
    const column = waking(({ rows }) => rows.map((row) => `a ${String(row["a"])}`), sql`a`);
    expect(topics(sql`select ${column}`)).toEqual(["a 1"]);
  });

  test("refuses values that the tag did not make, since their text cannot be spliced", () => {
    expect(() => waking(() => [], { text: "select", values: [] })).toThrow(
      "only a fragment made by `sql` can wake topics",
    );
  });
});
