import fc from "fast-check";
import { expect, test } from "vitest";
import { anyScope, grantableScope } from "../../../test/support/arbitrary-scopes.ts";
import { isValidScope, normalForm } from "./normal-form.ts";
import { satisfies } from "./scope-set.ts";

test.each([
  [[], []],
  [["*"], ["*"]],
  [["a", "*", ""], ["*"]],
  [
    ["b", "a", "b"],
    ["a", "b"],
  ],
  [["X", "Xa", "X*"], ["X*"]],
  [
    ["Xa", "X", "W*", "X*b"],
    ["W*", "X", "X*b", "Xa"],
  ],
  [
    ["ab", "a!", "a"],
    ["a", "a!", "ab"],
  ],
  [["a**", "a*"], ["a*"]],
  [
    ["a*b", "a"],
    ["a", "a*b"],
  ],
  [
    ["", "a"],
    ["", "a"],
  ],
])("the normal form of %j is %j", (scopes, expected) => {
  expect(normalForm(scopes)).toEqual(expected);
});

test("normalising twice changes nothing more", () => {
  fc.assert(
    fc.property(fc.array(anyScope), (scopes) => {
      const once = normalForm(scopes);
      expect(normalForm(once)).toEqual(once);
    }),
  );
});

test("the order and number of the given scopes do not matter", () => {
  fc.assert(
    fc.property(fc.array(anyScope), (scopes) => {
      expect(normalForm([...scopes, ...scopes].reverse())).toEqual(normalForm(scopes));
    }),
  );
});

test("the normal form covers exactly what the given scopes cover", () => {
  fc.assert(
    fc.property(fc.array(anyScope), anyScope, (scopes, asked) => {
      expect(satisfies(normalForm(scopes), asked)).toBe(satisfies(scopes, asked));
    }),
  );
});

test("two lists that cover each other have one normal form", () => {
  fc.assert(
    fc.property(fc.array(grantableScope), fc.array(grantableScope), (a, b) => {
      const same = a.every((scope) => satisfies(b, scope)) && b.every((scope) => satisfies(a, scope));
      expect(JSON.stringify(normalForm(a)) === JSON.stringify(normalForm(b))).toBe(same);
    }),
  );
});

test("scopes are printable ASCII", () => {
  expect(["", " ~", "queue:*"].map(isValidScope)).toEqual([true, true, true]);
  expect(["a\n", "\t", "é", "\x7f", "a\0"].map(isValidScope)).toEqual([false, false, false, false, false]);
});
