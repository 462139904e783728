// Random scopes for property tests, over a tiny alphabet, so that prefixes, stars and repetitions coincide often.
import fc from "fast-check";
import type { Role } from "../../src/lib/scopes/roles.ts";

/** Any scope over the alphabet, including the empty one. */
export const anyScope = fc.string({ unit: fc.constantFrom("a", "b", ":", "*"), maxLength: 4 });

/** Scopes that may be granted through the API: not those that end with two stars. */
export const grantableScope = anyScope.filter((scope) => !scope.endsWith("**"));

/** Scopes of roles and others, and star scopes that cover a part of the word `assume:`. */
export const roleScope = fc.oneof(
  { weight: 4, arbitrary: grantableScope.map((rest) => `assume:${rest}`) },
  { weight: 4, arbitrary: grantableScope },
  { weight: 1, arbitrary: fc.constantFrom("*", "a*", "as*", "assume*", "assume:*") },
);

/** Roles with parameters only in scopes that assume no role, so that every expansion ends. */
export const anyRoles: fc.Arbitrary<Role[]> = fc.array(
  fc.record({
    roleId: grantableScope,
    scopes: fc.array(
      fc.oneof(
        roleScope,
        grantableScope.map((scope) => `x${scope.replace(/\*$/, "")}<..>y`),
      ),
    ),
  }),
  { maxLength: 8 },
);
