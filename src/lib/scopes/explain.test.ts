import fc from "fast-check";
import { expect, test } from "vitest";
import { anyRoles, grantableScope, roleScope } from "../../../test/support/arbitrary-scopes.ts";
import { explain, type ProofStep } from "./explain.ts";
import { satisfiesExpression } from "./expression.ts";
import { compileRoles, type Role, type RoleResolver } from "./roles.ts";
import { satisfies } from "./scope-set.ts";
import type { ScopeExpression } from "./template.ts";

const roles = (byId: Record<string, readonly string[]>) =>
  compileRoles(Object.entries(byId).map(([roleId, scopes]) => ({ roleId, scopes })));

test("a proof lists the roles from an assigned scope to the one that covers the required scope", () => {
  const resolver = roles({ "repo:*": ["assume:project:<..>"], "project:*": ["queue:route:<..>:*"] });
  expect(explain(resolver, ["x", "assume:repo:a"], "queue:route:a:b")).toEqual({
    allowed: true,
    proofs: [
      {
        required: "queue:route:a:b",
        steps: [
          { scope: "assume:repo:a" },
          { scope: "assume:project:a", roleId: "repo:*" },
          { scope: "queue:route:a:*", roleId: "project:*" },
        ],
      },
    ],
  });
});

test("the shortest chain is the proof", () => {
  const resolver = roles({ a: ["assume:b"], b: ["s"] });
  const { proofs } = explain(resolver, ["assume:a", "*"], "s");
  expect(proofs).toEqual([{ required: "s", steps: [{ scope: "*" }] }]);
});

test("of an AnyOf the branch that lacks the fewest scopes is missing, the first of equals", () => {
  const expression = { AnyOf: [{ AllOf: ["a", "b", "c"] }, { AllOf: ["a", "d"] }, "e"] };
  expect(explain(roles({}), ["a"], expression)).toEqual({
    allowed: false,
    proofs: [{ required: "a", steps: [{ scope: "a" }] }],
    missing: ["d"],
  });
  expect(explain(roles({}), [], expression).missing).toEqual(["e"]);
});

test("the missing scopes of several parts are in normal form", () => {
  expect(explain(roles({}), [], { AllOf: ["b", "a", { AllOf: ["a*"] }] }).missing).toEqual(["a*", "b"]);
});

test("an AnyOf without branches has no missing scopes, since nothing satisfies it", () => {
  expect(explain(roles({}), ["*"], { AllOf: ["a", { AnyOf: [] }] })).toEqual({
    allowed: false,
    proofs: [{ required: "a", steps: [{ scope: "*" }] }],
  });
  expect(explain(roles({}), [], { AllOf: [] })).toEqual({ allowed: true, proofs: [] });
});

const required = fc.oneof(
  roleScope,
  grantableScope.map((scope) => `x${scope}`),
);
const anyExpression: fc.Arbitrary<ScopeExpression> = fc.letrec<{ node: ScopeExpression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    required,
    fc.record({ AllOf: fc.array(tie("node"), { maxLength: 3 }) }),
    fc.record({ AnyOf: fc.array(tie("node"), { maxLength: 3 }) }),
  ),
})).node;

/** Checks a step by itself: the role alone grants the scope to a holder of the scope before it. */
function isStep(all: readonly Role[], before: string | undefined, { scope, roleId }: ProofStep): boolean {
  const role = all.findLast((one) => one.roleId === roleId);
  return before !== undefined && role !== undefined && compileRoles([role]).grants([before]).has(scope);
}

/** Throws if the explanation of whether these scopes satisfy the expression is wrong. */
function check(all: readonly Role[], resolver: RoleResolver, held: string[], expression: ScopeExpression) {
  const { allowed, proofs, missing } = explain(resolver, held, expression);
  const expanded = resolver.expandToSet(held);
  if (allowed !== satisfiesExpression(expanded, expression)) throw new Error("allowed differs");
  for (const { required: wanted, steps } of proofs) {
    const last = steps.at(-1)?.scope ?? "";
    if (!satisfies([last], wanted)) throw new Error(`${last} does not cover ${wanted}`);
    if (!held.includes(steps[0]?.scope ?? "")) throw new Error("the chain does not start with a held scope");
    for (const [i, step] of steps.entries())
      if (i > 0 && !isStep(all, steps[i - 1]?.scope, step)) throw new Error(`no grant of ${step.scope}`);
  }
  const proven = { satisfies: (scope: string) => proofs.some((proof) => proof.required === scope) };
  if (allowed && !satisfiesExpression(proven, expression)) throw new Error("the proofs do not suffice");
  if (missing && !satisfiesExpression(resolver.expandToSet([...held, ...missing]), expression))
    throw new Error("the missing scopes do not suffice");
  if (missing?.some((scope) => expanded.satisfies(scope))) throw new Error("a missing scope is held");
}

test("explanations agree with plain satisfaction, their proofs are chains of grants, and the missing scopes suffice", () => {
  // A hundred thousand cases. Ten of them share their roles, because making these takes longer than the checks.
  const cases = fc.array(fc.tuple(fc.array(roleScope, { maxLength: 4 }), anyExpression), {
    minLength: 10,
    maxLength: 10,
  });
  fc.assert(
    fc.property(anyRoles, cases, (all, some) => {
      const resolver = compileRoles(all);
      for (const [held, expression] of some) check(all, resolver, held, expression);
    }),
    { numRuns: 10_000 },
  );
});
