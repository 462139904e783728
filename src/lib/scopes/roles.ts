// Roles: holding `assume:<roleId>` grants the scopes of that role, which may grant further roles, and so on.
import { normalForm } from "./normal-form.ts";
import { compileScopes, type ScopeSet } from "./scope-set.ts";

/** A role id ending in `*` stands for every role with that prefix; `<..>` in its scopes is the rest. */
export interface Role {
  readonly roleId: string;
  readonly scopes: readonly string[];
}

/** Roles prepared for expansion. */
export interface RoleResolver {
  /** The scopes with all that they grant, in normal form. Throws where roles grant each other without end. */
  expand(scopes: Iterable<string>): string[];
  /** The same, prepared for questions, and without the price of a normal form that nobody reads. */
  expandToSet(scopes: Iterable<string>): ScopeSet;
}

const assume = "assume:";

// Cycles are refused where roles are made. Should one come about all the same, through the configuration or through two
// changes at once, `<..>` can grow with every turn; so an expansion ends with an error at this many characters: 60,000
// scopes of usual length, reached within half a second.
const maxCharacters = 4_000_000;

/** Prepares roles, so that each question costs look-ups by id and by prefix instead of a walk over all roles. */
export function compileRoles(roles: Iterable<Role>): RoleResolver {
  const byId = new Map([...roles].map((role) => [role.roleId, role.scopes]));
  const ids = [...byId.keys()].sort();
  const starRoles = new Map<string, readonly string[]>();
  for (const [id, scopes] of byId) if (id.endsWith("*")) starRoles.set(id.slice(0, -1), scopes);
  const starLengths = [...new Set([...starRoles.keys()].map((prefix) => prefix.length))].sort(
    (a, b) => a - b,
  );

  /** Calls `grant` with every scope that `scope` grants by itself. */
  function direct(scope: string, grant: (scope: string) => void): void {
    const isStar = scope.endsWith("*");
    if (!scope.startsWith(assume)) {
      if (isStar && assume.startsWith(scope.slice(0, -1))) grantFamily("", grant);
      return;
    }
    const roleId = isStar ? scope.slice(assume.length, -1) : scope.slice(assume.length);
    if (isStar) grantFamily(roleId, grant);
    else byId.get(roleId)?.forEach(grant);
    for (const length of starLengths) {
      if (length > roleId.length) break;
      const granted = starRoles.get(roleId.slice(0, length));
      if (granted) fillAll(granted, roleId.slice(length), isStar, grant);
    }
  }

  /** Grants every role whose id begins with `prefix`; a star role among them with every value of its parameter. */
  function grantFamily(prefix: string, grant: (scope: string) => void): void {
    for (let i = firstNotBefore(ids, prefix); i < ids.length; i++) {
      const id = ids[i] ?? "";
      if (!id.startsWith(prefix)) return;
      const granted = byId.get(id) ?? [];
      if (id.endsWith("*")) fillAll(granted, "", true, grant);
      else granted.forEach(grant);
    }
  }

  function closure(scopes: Iterable<string>): Set<string> {
    const reached = new Set(scopes);
    let characters = 0;
    const grant = (scope: string): void => {
      reached.add(scope);
    };
    // A Set hands out what is added while it is walked: it is its own work list.
    for (const scope of reached) {
      if (scope === "*") return new Set(["*"]);
      characters += scope.length;
      if (characters > maxCharacters) {
        throw new Error(
          `roles grant each other without end: stopped at a scope of ${scope.length} characters`,
        );
      }
      direct(scope, grant);
    }
    return reached;
  }

  return {
    expand: (scopes) => normalForm(closure(scopes)),
    expandToSet: (scopes) => compileScopes(closure(scopes)),
  };
}

/**
 * Puts the parameter into the scopes of a star role. Where the holder itself ends in a star, the parameter stands for
 * every text that begins so: what comes after `<..>` can then not be known, and the scope ends there with `*`.
 */
function fillAll(
  scopes: readonly string[],
  parameter: string,
  isStar: boolean,
  grant: (scope: string) => void,
): void {
  for (const scope of scopes) {
    const at = scope.indexOf("<..>");
    if (at < 0) grant(scope);
    else if (isStar) grant(`${scope.slice(0, at)}${parameter}*`);
    else grant(scope.slice(0, at) + parameter + scope.slice(at + 4));
  }
}

function firstNotBefore(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
