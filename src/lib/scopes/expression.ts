// Holds rendered scope expressions against what a caller holds.
import type { ScopeSet } from "./scope-set.ts";
import type { ScopeExpression } from "./template.ts";

/** Whether the held scopes cover the expression. */
export function satisfiesExpression(held: ScopeSet, expression: ScopeExpression): boolean {
  if (typeof expression === "string") return held.satisfies(expression);
  if ("AllOf" in expression) return expression.AllOf.every((part) => satisfiesExpression(held, part));
  return expression.AnyOf.some((part) => satisfiesExpression(held, part));
}

/**
 * The part of the expression that is not covered, as the refusal shows it; `null` where all is covered. Lists with
 * one element left collapse to it, and an AnyOf keeps every branch, since each is a way out.
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
