// The nesting depth of a JSON text is that of its value.
import fc from "fast-check";
import { expect, it } from "vitest";
import { endOfString, isDeeperThan } from "./nesting.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

it("finds the depth of the value in its text", () => {
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
      const depth = depthOf(value);
      expect(isDeeperThan(depth, written)).toBe(false);
      if (depth > 0) expect(isDeeperThan(depth - 1, written)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

it("finds the end of a string with escapes, and the end of the text for an unterminated one", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', "\\", "a") }), (value) => {
      const written = JSON.stringify(value);
      expect(endOfString(`${written}"`, 0)).toBe(written.length - 1);
    }),
  );
  expect([endOfString('"', 0), endOfString('"a\\"', 0), isDeeperThan(1, '["[')]).toEqual([1, 4, false]);
});

it("takes time proportional to the text", () => {
  for (const part of ['"', "\\", '\\"', "[", "]", '{"":']) {
    const start = performance.now();
    isDeeperThan(Infinity, `"${part.repeat(2_000_000 / part.length)}`);
    expect(performance.now() - start).toBeLessThan(2_000);
  }
});
