// Checks scope expressions of requests, whose parts no schema describes.
import { ApiError } from "../../../../lib/errors.ts";
import { isValidScope } from "../../../../lib/scopes/normal-form.ts";
import type { ScopeExpression } from "../../../../lib/scopes/template.ts";

/** Evaluating an expression repeats work at each level. No method's scopes are nested more than four deep. */
const MAX_DEPTH = 10;
const MAX_PARTS = 10_000;

/** Returns the expression. Throws `InputError` for a part that is none, or if it is too large. */
export function givenExpression(given: unknown): ScopeExpression {
  let parts = 0;
  function read(part: unknown, path: string, depth: number): ScopeExpression {
    if (++parts > MAX_PARTS)
      throw refuse(path, `is one of more than ${MAX_PARTS} parts. Explain fewer of them`);
    if (depth > MAX_DEPTH) throw refuse(path, `is nested deeper than ${MAX_DEPTH}. Use fewer levels`);
    if (typeof part === "string") {
      if (isValidScope(part)) return part;
      throw refuse(path, "has characters other than printable ASCII, which no scope has. Remove them");
    }
    const members = typeof part === "object" && part !== null ? Object.entries(part) : [];
    const [[name, list] = ["", undefined]] = members;
    if (members.length !== 1 || !(name === "AllOf" || name === "AnyOf") || !Array.isArray(list))
      throw refuse(path, 'must be a scope, {"AllOf": […]} or {"AnyOf": […]}');
    const of = list.map((one: unknown, i) => read(one, `${path}.${name}[${i}]`, depth + 1));
    return name === "AllOf" ? { AllOf: of } : { AnyOf: of };
  }
  return read(given, "expression", 1);
}

// oxlint-disable-next-line messages/next-step -- each problem says what would be right
const refuse = (path: string, problem: string): ApiError => new ApiError("InputError", `${path} ${problem}.`);
