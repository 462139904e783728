import fc from "fast-check";
import { expect, test } from "vitest";
import { anyScope, grantableScope } from "../../../test/support/arbitrary-scopes.ts";
import { normalForm } from "./normal-form.ts";
import { compileScopes, satisfies, unionOf } from "./scope-set.ts";

test("a trailing star covers every suffix, and the empty one", () => {
  for (const covered of ["a", "ab", "a*", "ab*"]) expect(satisfies(["a*"], covered)).toBe(true);
  for (const foreign of ["", "b", "*", "ba"]) expect(satisfies(["a*"], foreign)).toBe(false);
});

test("a scope without a star covers itself alone", () => {
  expect(satisfies(["a"], "a")).toBe(true);
  for (const foreign of ["ab", "a*", "", "*"]) expect(satisfies(["a"], foreign)).toBe(false);
});

test("a star elsewhere than at the end is a character like others", () => {
  expect(satisfies(["a*b"], "a*b")).toBe(true);
  expect(satisfies(["a*b"], "axb")).toBe(false);
  expect(satisfies(["a*b*"], "a*bc")).toBe(true);
});

test("nothing held covers nothing, and a star alone covers all", () => {
  expect(satisfies([], "")).toBe(false);
  expect(satisfies(["*"], "")).toBe(true);
  expect(satisfies(["*"], "*")).toBe(true);
});

test("a compiled set answers like the definition", () => {
  fc.assert(
    fc.property(fc.array(anyScope, { maxLength: 30 }), fc.array(anyScope), (held, asked) => {
      const set = compileScopes(held);
      for (const scope of [...asked, ...held]) expect(set.satisfies(scope)).toBe(satisfies(held, scope));
    }),
    { numRuns: 1_000 },
  );
});

test("a compiled set lists the normal form", () => {
  fc.assert(
    fc.property(fc.array(anyScope), (held) => {
      expect(compileScopes(held).list).toEqual(normalForm(held));
    }),
  );
});

test("a union covers what one of its sides covers, and lists the normal form of both", () => {
  fc.assert(
    fc.property(fc.array(anyScope), fc.array(anyScope), anyScope, (a, b, asked) => {
      const union = unionOf(compileScopes(a), compileScopes(b));
      expect(union.satisfies(asked)).toBe(satisfies([...a, ...b], asked));
      expect(union.list).toEqual(normalForm([...a, ...b]));
    }),
  );
});

// `a**` covers the text `a*`, which covers `ab`, which `a**` does not cover: the reason why APIs refuse to grant `a**`.
test("covering is transitive among the scopes that can be granted", () => {
  fc.assert(
    fc.property(grantableScope, grantableScope, grantableScope, (a, b, c) => {
      fc.pre(satisfies([a], b) && satisfies([b], c));
      expect(satisfies([a], c)).toBe(true);
    }),
  );
});
