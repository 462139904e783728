import fc from "fast-check";
import { expect, test } from "vitest";
import { combinations, countCombinations, readVariables, substitute } from "./expand.ts";

test("the number of combinations is the product of the numbers of values, and each occurs once", () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("a", "b", "c"),
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }),
      ),
      (given) => {
        const variables = readVariables(given);
        if (typeof variables === "string") throw new Error(variables);
        const all = [...combinations(variables)].map((chosen) => JSON.stringify(chosen));
        expect(all).toHaveLength(countCombinations(variables));
        expect(new Set(all).size).toBe(all.length);
      },
    ),
  );
});

test("inherited properties are not variables", () => {
  expect(substitute("{{toString}} {{x}}", { x: "1" })).toBe("{{toString}} 1");
  expect(substitute("{{__proto__}}", { x: "1" })).toBe("{{__proto__}}");
  const variables = readVariables(JSON.parse('{"__proto__": ["7"]}'));
  expect(
    typeof variables === "string"
      ? variables
      : [...combinations(variables)].map((c) => substitute("{{__proto__}}", c)),
  ).toEqual(["7"]);
});

test("values are substituted in all strings, once", () => {
  expect(substitute({ a: ["{{x}}{{ x }}", 1, null], b: "${{y}}" }, { x: "{{y}}", y: "2" })).toEqual({
    a: ["{{y}}{{y}}", 1, null],
    b: "$2",
  });
});
