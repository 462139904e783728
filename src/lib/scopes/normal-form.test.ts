import fc from "fast-check";
import { expect, test } from "vitest";
import { anyScope, grantableScope } from "../../../test/support/arbitrary-scopes.ts";
import { isValidScope, normalForm, sortScopes } from "./normal-form.ts";
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

test("normalizing is idempotent", () => {
  fc.assert(
    fc.property(fc.array(anyScope), (scopes) => {
      const once = normalForm(scopes);
      expect(normalForm(once)).toEqual(once);
    }),
  );
});

test("order and duplicates of the input do not matter", () => {
  fc.assert(
    fc.property(fc.array(anyScope), (scopes) => {
      expect(normalForm([...scopes, ...scopes].reverse())).toEqual(normalForm(scopes));
    }),
  );
});

test("the normal form covers exactly the scopes that the input covers", () => {
  fc.assert(
    fc.property(fc.array(anyScope), anyScope, (scopes, required) => {
      expect(satisfies(normalForm(scopes), required)).toBe(satisfies(scopes, required));
    }),
  );
});

test("two lists have the same normal form if and only if they cover each other", () => {
  fc.assert(
    fc.property(fc.array(grantableScope), fc.array(grantableScope), (a, b) => {
      const same = a.every((scope) => satisfies(b, scope)) && b.every((scope) => satisfies(a, scope));
      expect(JSON.stringify(normalForm(a)) === JSON.stringify(normalForm(b))).toBe(same);
    }),
  );
});

test("valid scopes are printable ASCII", () => {
  expect(["", " ~", "queue:*"].map(isValidScope)).toEqual([true, true, true]);
  expect(["a\n", "\t", "é", "\x7f", "a\0"].map(isValidScope)).toEqual([false, false, false, false, false]);
});

test("scopes can be sorted in the same order without removing any", () => {
  expect(sortScopes(["b", "a", "ab", "a*", "", "a"])).toEqual(["", "a*", "a", "a", "ab", "b"]);
});
