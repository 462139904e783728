import fc from "fast-check";
import { expect, test } from "vitest";
import { anyScope, grantableScope } from "../../../test/support/arbitrary-scopes.ts";
import { normalForm } from "./normal-form.ts";
import { compileScopes, satisfies, unionOf } from "./scope-set.ts";

test("a trailing star covers every suffix, including the empty one", () => {
  for (const covered of ["a", "ab", "a*", "ab*"]) expect(satisfies(["a*"], covered)).toBe(true);
  for (const foreign of ["", "b", "*", "ba"]) expect(satisfies(["a*"], foreign)).toBe(false);
});

test("a scope without a star covers only itself", () => {
  expect(satisfies(["a"], "a")).toBe(true);
  for (const foreign of ["ab", "a*", "", "*"]) expect(satisfies(["a"], foreign)).toBe(false);
});

test("a star that is not at the end is an ordinary character", () => {
  expect(satisfies(["a*b"], "a*b")).toBe(true);
  expect(satisfies(["a*b"], "axb")).toBe(false);
  expect(satisfies(["a*b*"], "a*bc")).toBe(true);
});

test("no scopes cover nothing, and the star alone covers everything", () => {
  expect(satisfies([], "")).toBe(false);
  expect(satisfies(["*"], "")).toBe(true);
  expect(satisfies(["*"], "*")).toBe(true);
});

test("a compiled set agrees with the definition", () => {
  fc.assert(
    fc.property(fc.array(anyScope, { maxLength: 30 }), fc.array(anyScope), (held, required) => {
      const set = compileScopes(held);
      for (const scope of [...required, ...held]) expect(set.satisfies(scope)).toBe(satisfies(held, scope));
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

test("a union covers what either side covers, and lists the normal form of both", () => {
  fc.assert(
    fc.property(fc.array(anyScope), fc.array(anyScope), anyScope, (a, b, required) => {
      const union = unionOf(compileScopes(a), compileScopes(b));
      expect(union.satisfies(required)).toBe(satisfies([...a, ...b], required));
      expect(union.list).toEqual(normalForm([...a, ...b]));
    }),
  );
});

// `a**` covers `a*`, which covers `ab`, but `a**` does not cover `ab`. This is why APIs refuse to grant `a**`.
test("covering is transitive among grantable scopes", () => {
  fc.assert(
    fc.property(grantableScope, grantableScope, grantableScope, (a, b, c) => {
      fc.pre(satisfies([a], b) && satisfies([b], c));
      expect(satisfies([a], c)).toBe(true);
    }),
  );
});
