// What servers refuse in the scopes of clients and roles, found before anything is changed.
import type { Problem } from "./kind.ts";

/** Returns the problems of a member `scopes`, if it is a list. `isParameterized`: whether `<..>` is a parameter in it. */
export function scopeProblems(scopes: unknown, isParameterized: boolean): Problem[] {
  return (Array.isArray(scopes) ? scopes : []).flatMap((scope: unknown, i) => {
    if (typeof scope !== "string") return [];
    const text = scopeProblem(scope, isParameterized);
    return text === undefined ? [] : [{ path: ["scopes", i], text: `${scope}: ${text}` }];
  });
}

function scopeProblem(scope: string, isParameterized: boolean): string | undefined {
  if (scope.endsWith("**")) return "a scope must not end in **; a single star stands for any text";
  if (!isParameterized) return undefined;
  if (scope.split("<..>").length > 2) return "a scope has <..> at most once; remove the others";
  return scope.endsWith("*<..>") ? "a scope must not end in *<..>; remove the star" : undefined;
}
