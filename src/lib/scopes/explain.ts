// Explains why scopes satisfy an expression, by the chain of roles behind each required scope, or what they lack.
import { normalForm } from "./normal-form.ts";
import type { Grant, RoleResolver } from "./roles.ts";
import { compileScopes, type ScopeSet } from "./scope-set.ts";
import type { ScopeExpression } from "./template.ts";

/** A scope of a proof. The first step of a chain is an assigned scope; each other one is granted by a role. */
export interface ProofStep {
  readonly scope: string;
  /** The role that grants the scope, because the scope of the step before it assumes that role. */
  readonly roleId?: string;
}

/** Why a required scope is satisfied: the last step's scope is the required one, or covers it by a trailing `*`. */
export interface Proof {
  readonly required: string;
  readonly steps: readonly ProofStep[];
}

export interface Explanation {
  readonly allowed: boolean;
  /** One for each required scope that is satisfied. If `allowed`, they suffice; of an AnyOf only one branch is proven. */
  readonly proofs: readonly Proof[];
  /**
   * The scopes to add, if not `allowed`: of each AnyOf those of the branch that lacks the fewest, the first of equals.
   * Undefined for an expression that no scopes satisfy, such as an AnyOf without branches.
   */
  readonly missing?: readonly string[];
}

/** Explains whether the assigned scopes, expanded through the roles, satisfy the expression. */
export function explain(
  roles: Pick<RoleResolver, "grants">,
  assigned: Iterable<string>,
  expression: ScopeExpression,
): Explanation {
  const grants = roles.grants(assigned);
  const held = compileScopes(grants.keys());
  const chainTo = chains(grants);
  const proofs = new Map<string, Proof>();
  const prove = (part: ScopeExpression): void => {
    if (typeof part === "string") {
      if (held.satisfies(part) && !proofs.has(part))
        proofs.set(part, { required: part, steps: chainTo(part) });
    } else if ("AllOf" in part) part.AllOf.forEach(prove);
    else {
      const { branch } = nearestBranch(held, part.AnyOf);
      if (branch !== undefined) prove(branch);
    }
  };
  prove(expression);
  const missing = missingScopes(held, expression);
  const allowed = missing?.length === 0;
  return { allowed, proofs: [...proofs.values()], ...(!allowed && missing && { missing }) };
}

/**
 * Returns the scopes to add to the held ones so that they satisfy the expression: of each AnyOf those of the branch that
 * lacks the fewest. Undefined if no scopes satisfy it.
 */
export function missingScopes(
  held: Pick<ScopeSet, "satisfies">,
  expression: ScopeExpression,
): readonly string[] | undefined {
  if (typeof expression === "string") return held.satisfies(expression) ? [] : [expression];
  if ("AnyOf" in expression) return nearestBranch(held, expression.AnyOf).missing;
  const parts = expression.AllOf.map((part) => missingScopes(held, part));
  return parts.every((part) => part !== undefined) ? normalForm(parts.flat()) : undefined;
}

/** Returns the branch that lacks the fewest scopes, the first of equals. */
function nearestBranch(
  held: Pick<ScopeSet, "satisfies">,
  branches: readonly ScopeExpression[],
): { readonly branch?: ScopeExpression; readonly missing?: readonly string[] } {
  let nearest: { branch: ScopeExpression; missing: readonly string[] } | undefined;
  for (const branch of branches) {
    const missing = missingScopes(held, branch);
    if (missing && (!nearest || missing.length < nearest.missing.length)) nearest = { branch, missing };
  }
  return nearest ?? {};
}

/** Returns a function that finds the shortest chain of grants to a scope that is `required` or covers it. */
function chains(grants: ReadonlyMap<string, Grant | undefined>): (required: string) => readonly ProofStep[] {
  // Looking up each prefix that a held star scope may have costs less than comparing with every held scope.
  const starLengths = new Set<number>();
  for (const scope of grants.keys()) if (scope.endsWith("*")) starLengths.add(scope.length - 1);
  return (required) => {
    const covering = [required];
    for (const length of starLengths)
      if (length <= required.length) covering.push(`${required.slice(0, length)}*`);
    let shortest: ProofStep[] | undefined;
    for (const scope of covering) {
      if (!grants.has(scope)) continue;
      const steps = stepsTo(grants, scope);
      if (!shortest || steps.length < shortest.length) shortest = steps;
    }
    return shortest ?? [];
  };
}

function stepsTo(grants: ReadonlyMap<string, Grant | undefined>, last: string): ProofStep[] {
  const steps: ProofStep[] = [];
  for (let scope: string | undefined = last; scope !== undefined;) {
    const grant: Grant | undefined = grants.get(scope);
    steps.push({ scope, ...(grant && { roleId: grant.roleId }) });
    scope = grant?.through;
  }
  return steps.reverse();
}
