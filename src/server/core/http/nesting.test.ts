// The shape of a JSON text is that of its value.
import fc from "fast-check";
import { expect, it } from "vitest";
import { endOfString, shapeOf } from "./nesting.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

const valuesIn = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>(
        (sum, member) => sum + valuesIn(member) + (Array.isArray(value) ? 0 : 1),
        1,
      )
    : 1;

it("finds the depth of the value and the number of values in its text", () => {
  const text = fc.string({ unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", "a", "\u2028") });
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: "medium" },
      text,
      fc.constant(null),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.dictionary(text, tie("json"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 1), (value, indent) => {
      const written = JSON.stringify(value, null, indent);
      const { depth, values } = shapeOf(written);
      expect(depth).toBe(depthOf(value));
      // An empty object or array counts as if it had an element.
      expect(values).toBeGreaterThanOrEqual(valuesIn(value));
      expect(values).toBeLessThanOrEqual(2 * valuesIn(value));
    }),
    { numRuns: 1000 },
  );
});

it("finds numbers that may be beyond the range of doubles, outside of strings", () => {
  const found = ["1e400", "[-1E+309]", '{"a":0.5e9}', "9".repeat(309), `[1,${"9".repeat(309)}]`];
  const others = [
    "[true,false,null]",
    '"1e400"',
    `"${"9".repeat(309)}"`,
    "9".repeat(308),
    "[12,34]",
    '{"1e5":1}',
  ];
  for (const text of found) expect([text, shapeOf(text).mayOverflow]).toEqual([text, true]);
  for (const text of others) expect([text, shapeOf(text).mayOverflow]).toEqual([text, false]);
});

it("finds the end of a string with escapes, and the end of the text for an unterminated one", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', "\\", "a") }), (value) => {
      const written = JSON.stringify(value);
      expect(endOfString(`${written}"`, 0)).toBe(written.length - 1);
    }),
  );
  expect([endOfString('"', 0), endOfString('"a\\"', 0), shapeOf('["[').depth]).toEqual([1, 4, 1]);
});

it("takes time proportional to the text", () => {
  for (const part of ['"', "\\", '\\"', "[", "]", '{"":']) {
    const start = performance.now();
    shapeOf(`"${part.repeat(2_000_000 / part.length)}`);
    expect(performance.now() - start).toBeLessThan(2_000);
  }
});
