// Random scopes for property tests: a tiny alphabet, so that prefixes, stars and repeats meet often.
import fc from "fast-check";

/** Any scope over the small alphabet, the empty one included. */
export const anyScope = fc.string({ unit: fc.constantFrom("a", "b", ":", "*"), maxLength: 4 });

/** Scopes that the API lets people grant: not those that end in two stars. */
export const grantableScope = anyScope.filter((scope) => !scope.endsWith("**"));

/** Scopes about roles among others, and star scopes that cover the word `assume:` in part. */
export const roleScope = fc.oneof(
  { weight: 4, arbitrary: grantableScope.map((rest) => `assume:${rest}`) },
  { weight: 4, arbitrary: grantableScope },
  { weight: 1, arbitrary: fc.constantFrom("*", "a*", "as*", "assume*", "assume:*") },
);
