import fc from "fast-check";
import { expect, test } from "vitest";
import { anyScope } from "../../../test/support/arbitrary-scopes.ts";
import { satisfiesExpression, unsatisfiedPart } from "./expression.ts";
import { compileScopes } from "./scope-set.ts";
import type { ScopeExpression } from "./template.ts";

const { expression: anyExpression } = fc.letrec<{ expression: ScopeExpression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyScope,
    fc.record({ AllOf: fc.array(tie("expression"), { maxLength: 3 }) }),
    fc.record({ AnyOf: fc.array(tie("expression"), { maxLength: 3 }) }),
  ),
}));
const anyHeld = fc.array(anyScope).map(compileScopes);

test("every caller satisfies an empty AllOf, no caller an empty AnyOf", () => {
  expect(satisfiesExpression(compileScopes([]), { AllOf: [] })).toBe(true);
  expect(satisfiesExpression(compileScopes(["*"]), { AnyOf: [] })).toBe(false);
});

test("AllOf is satisfied if every part is, AnyOf if one part is", () => {
  fc.assert(
    fc.property(anyHeld, fc.array(anyExpression, { maxLength: 4 }), (held, parts) => {
      const each = parts.map((part) => satisfiesExpression(held, part));
      expect(satisfiesExpression(held, { AllOf: parts })).toBe(!each.includes(false));
      expect(satisfiesExpression(held, { AnyOf: parts })).toBe(each.includes(true));
    }),
  );
});

test("additional scopes never make a satisfied expression unsatisfied", () => {
  fc.assert(
    fc.property(fc.array(anyScope), fc.array(anyScope), anyExpression, (some, more, expression) => {
      fc.pre(satisfiesExpression(compileScopes(some), expression));
      expect(satisfiesExpression(compileScopes([...some, ...more]), expression)).toBe(true);
    }),
  );
});

test("nothing is missing if and only if the expression is satisfied", () => {
  fc.assert(
    fc.property(anyHeld, anyExpression, (held, expression) => {
      expect(unsatisfiedPart(held, expression) === null).toBe(satisfiesExpression(held, expression));
    }),
    { numRuns: 1_000 },
  );
});

test("adding scopes that satisfy the missing part satisfies the whole expression", () => {
  fc.assert(
    fc.property(fc.array(anyScope), fc.array(anyScope), anyExpression, (held, more, expression) => {
      const missing = unsatisfiedPart(compileScopes(held), expression);
      fc.pre(missing !== null && satisfiesExpression(compileScopes(more), missing));
      expect(satisfiesExpression(compileScopes([...held, ...more]), expression)).toBe(true);
    }),
  );
});

test.each<[ScopeExpression, ScopeExpression | null]>([
  ["a", null],
  ["x", "x"],
  [{ AllOf: ["a", "x", "y"] }, { AllOf: ["x", "y"] }],
  [{ AllOf: ["a", "x"] }, "x"],
  [{ AnyOf: ["x", "a"] }, null],
  [{ AnyOf: ["x", "y"] }, { AnyOf: ["x", "y"] }],
  [{ AnyOf: ["x"] }, "x"],
  [{ AnyOf: [] }, { AnyOf: [] }],
  [{ AnyOf: ["x", { AllOf: ["a", "y"] }] }, { AnyOf: ["x", "y"] }],
  [{ AllOf: ["x", { AnyOf: ["a", "y"] }] }, "x"],
  [{ AllOf: ["a", { AnyOf: ["x", { AllOf: ["y", "z"] }] }] }, { AnyOf: ["x", { AllOf: ["y", "z"] }] }],
])("for %j, a holder of `a` and `b*` lacks %j", (expression, expected) => {
  expect(unsatisfiedPart(compileScopes(["a", "b*"]), expression)).toEqual(expected);
});
