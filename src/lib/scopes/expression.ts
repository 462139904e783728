// Evaluates rendered scope expressions against the scopes of a caller.
import type { ScopeSet } from "./scope-set.ts";
import type { ScopeExpression } from "./template.ts";

/** Reports whether the held scopes satisfy the expression. */
export function satisfiesExpression(held: Pick<ScopeSet, "satisfies">, expression: ScopeExpression): boolean {
  if (typeof expression === "string") return held.satisfies(expression);
  if ("AllOf" in expression) return expression.AllOf.every((part) => satisfiesExpression(held, part));
  return expression.AnyOf.some((part) => satisfiesExpression(held, part));
}

/**
 * Returns the unsatisfied part of the expression, for the error message, or `null` if all of it is satisfied. A list
 * with one remaining element is replaced by that element. An AnyOf keeps every branch: each would be sufficient.
 */
export function unsatisfiedPart(held: ScopeSet, expression: ScopeExpression): ScopeExpression | null {
  if (typeof expression === "string") return held.satisfies(expression) ? null : expression;
  const isAll = "AllOf" in expression;
  const parts = isAll ? expression.AllOf : expression.AnyOf;
  const missing = parts.map((part) => unsatisfiedPart(held, part)).filter((part) => part !== null);
  const isCovered = isAll ? missing.length === 0 : missing.length < parts.length;
  if (isCovered) return null;
  const [only] = missing;
  if (missing.length === 1 && only !== undefined) return only;
  return isAll ? { AllOf: missing } : { AnyOf: missing };
}
