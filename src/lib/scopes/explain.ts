// Explains why scopes satisfy an expression, by the chain of roles behind each required scope, or what they lack.
import { InternalError } from "../internal-error.ts";
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
  /** How many more there are, if the given number of characters does not suffice for them. */
  readonly omittedProofs?: number;
  /**
   * The scopes to add, if not `allowed`: of each AnyOf those of the branch that lacks the fewest, the first of equals.
   * Undefined for an expression that no scopes satisfy, such as an AnyOf without branches.
   */
  readonly missing?: readonly string[];
}

/**
 * Explains whether the assigned scopes, expanded through the roles, satisfy the expression. The scopes of the proofs have
 * about `maxCharacters` in total: thousands of required scopes can each have a chain of thousands of roles.
 */
export function explain(
  roles: Pick<RoleResolver, "grants">,
  assigned: Iterable<string>,
  expression: ScopeExpression,
  { maxCharacters = Infinity }: { readonly maxCharacters?: number } = {},
): Explanation {
  const grants = roles.grants(assigned);
  const held = compileScopes(grants.keys());
  const chainTo = chains(grants);
  const proofs = new Map<string, Proof>();
  const omitted = new Set<string>();
  let characters = 0;
  const add = (required: string): void => {
    if (!held.satisfies(required) || proofs.has(required)) return;
    const chain = chainTo(required);
    if (characters + chain.characters > maxCharacters) omitted.add(required);
    else {
      characters += chain.characters;
      proofs.set(required, { required, steps: stepsTo(grants, chain.last) });
    }
  };
  const prove = (part: ScopeExpression): void => {
    if (typeof part === "string") add(part);
    else if ("AllOf" in part) part.AllOf.forEach(prove);
    else {
      const { branch } = nearestBranch(held, part.AnyOf);
      if (branch !== undefined) prove(branch);
    }
  };
  prove(expression);
  const missing = missingScopes(held, expression);
  const allowed = missing?.length === 0;
  return {
    allowed,
    proofs: [...proofs.values()],
    ...(omitted.size > 0 && { omittedProofs: omitted.size }),
    ...(!allowed && missing && { missing }),
  };
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

interface Chain {
  readonly last: string;
  readonly length: number;
  readonly characters: number;
}

/** Returns a function that finds the shortest chain of grants to a scope that is `required` or covers it. */
function chains(grants: ReadonlyMap<string, Grant | undefined>): (required: string) => Chain {
  const byLast = new Map<string, Chain>();
  // Looking up each prefix that a held star scope may have costs less than comparing with every held scope.
  const starLengths = new Set<number>();
  for (const [last, grant] of grants) {
    if (last.endsWith("*")) starLengths.add(last.length - 1);
    // A scope follows the one through which it was granted.
    const before = grant && byLast.get(grant.through);
    byLast.set(last, {
      last,
      length: (before?.length ?? 0) + 1,
      characters: (before?.characters ?? 0) + last.length + (grant?.roleId.length ?? 0),
    });
  }
  return (required) => {
    let shortest = byLast.get(required);
    for (const length of starLengths) {
      if (length > required.length) continue;
      const chain = byLast.get(`${required.slice(0, length)}*`);
      if (chain && (!shortest || chain.length < shortest.length)) shortest = chain;
    }
    if (!shortest) throw new InternalError(`no chain of grants leads to ${required}, which is held`);
    return shortest;
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
