// Roles: a holder of `assume:<roleId>` is granted the scopes of that role, which may grant more roles.
import { normalForm } from "./normal-form.ts";
import { compileScopes, type ScopeSet } from "./scope-set.ts";

/** A role whose id ends in `*` applies to every role id with that prefix. `<..>` in its scopes stands for the rest. */
export interface Role {
  readonly roleId: string;
  readonly scopes: readonly string[];
}

/** How an expansion reached a scope: a role granted it because the scope `through` assumes that role. */
export interface Grant {
  readonly roleId: string;
  readonly through: string;
}

/** Roles prepared for expansion. */
export interface RoleResolver {
  /** Returns the scopes and everything that they grant, in normal form. Throws if the expansion does not end. */
  expand(scopes: Iterable<string>): string[];
  /** Like `expand`, but returns a set for look-ups, which does not pay for the normal form until it is read. */
  expandToSet(scopes: Iterable<string>): ScopeSet;
  /**
   * Returns the scopes of the expansion with the first grant of each; the given scopes have none. Stops at `*`, which
   * covers every other scope. Throws if the expansion does not end.
   */
  grants(scopes: Iterable<string>): ReadonlyMap<string, Grant | undefined>;
}

/** Receives a granted scope, and the id of the role that grants it. */
type OnGrant = (scope: string, roleId: string) => void;

const assume = "assume:";

// Cycles are refused when roles are created. One can still occur, through the configuration or two concurrent changes,
// and `<..>` can then grow with each iteration. Therefore an expansion throws at this many characters: 60,000 scopes of
// usual length, reached within half a second.
const maxCharacters = 4_000_000;

/** Indexes roles, so that each expansion costs look-ups by id and prefix instead of a scan of all roles. */
export function compileRoles(roles: Iterable<Role>): RoleResolver {
  const byId = new Map([...roles].map((role) => [role.roleId, role.scopes]));
  const ids = [...byId.keys()].sort();
  const starRoles = new Map<string, Role>();
  for (const [roleId, scopes] of byId)
    if (roleId.endsWith("*")) starRoles.set(roleId.slice(0, -1), { roleId, scopes });
  const starLengths = [...new Set([...starRoles.keys()].map((prefix) => prefix.length))].sort(
    (a, b) => a - b,
  );

  /** Calls `grant` with every scope that `scope` grants directly. */
  function direct(scope: string, grant: OnGrant): void {
    const isStar = scope.endsWith("*");
    if (!scope.startsWith(assume)) {
      if (isStar && assume.startsWith(scope.slice(0, -1))) grantFamily("", grant);
      return;
    }
    const roleId = isStar ? scope.slice(assume.length, -1) : scope.slice(assume.length);
    if (isStar) grantFamily(roleId, grant);
    else grantAll(roleId, byId.get(roleId) ?? [], grant);
    for (const length of starLengths) {
      if (length > roleId.length) break;
      const role = starRoles.get(roleId.slice(0, length));
      if (role) fillAll(role, roleId.slice(length), isStar, grant);
    }
  }

  /** Grants every role whose id starts with `prefix`, and star roles among them with every value of the parameter. */
  function grantFamily(prefix: string, grant: OnGrant): void {
    for (let i = lowerBound(ids, prefix); i < ids.length; i++) {
      const id = ids[i] ?? "";
      if (!id.startsWith(prefix)) return;
      const scopes = byId.get(id) ?? [];
      if (id.endsWith("*")) fillAll({ roleId: id, scopes }, "", true, grant);
      else grantAll(id, scopes, grant);
    }
  }

  function closure(scopes: Iterable<string>): Set<string> {
    const reached = new Set(scopes);
    const limit = characterLimit();
    const grant = (scope: string): void => {
      reached.add(scope);
    };
    // Iterating over a Set includes elements that are added during the iteration, so the set is its own work list.
    for (const scope of reached) {
      if (scope === "*") return new Set(["*"]);
      limit(scope);
      direct(scope, grant);
    }
    return reached;
  }

  function grants(scopes: Iterable<string>): Map<string, Grant | undefined> {
    const reached = new Map<string, Grant | undefined>();
    for (const scope of scopes) reached.set(scope, undefined);
    const limit = characterLimit();
    for (const through of reached.keys()) {
      if (through === "*") break;
      limit(through);
      direct(through, (scope, roleId) => {
        if (!reached.has(scope)) reached.set(scope, { roleId, through });
      });
    }
    return reached;
  }

  return {
    expand: (scopes) => normalForm(closure(scopes)),
    expandToSet: (scopes) => compileScopes(closure(scopes)),
    grants,
  };
}

/** Returns a function that counts the characters of the scopes of one expansion, and throws above the limit. */
function characterLimit(): (scope: string) => void {
  let characters = 0;
  return (scope) => {
    characters += scope.length;
    if (characters > maxCharacters)
      throw new Error(`roles grant each other without end: stopped at a scope of ${scope.length} characters`);
  };
}

/**
 * Substitutes the parameter in the scopes of a star role. If the held scope itself ends in a star, the parameter stands
 * for every text with that prefix. The text after `<..>` is then unknown, so the scope ends there with `*`.
 */
function fillAll({ roleId, scopes }: Role, parameter: string, isStar: boolean, grant: OnGrant): void {
  for (const scope of scopes) {
    const at = scope.indexOf("<..>");
    if (at < 0) grant(scope, roleId);
    else if (isStar) grant(`${scope.slice(0, at)}${parameter}*`, roleId);
    else grant(scope.slice(0, at) + parameter + scope.slice(at + 4), roleId);
  }
}

function grantAll(roleId: string, scopes: readonly string[], grant: OnGrant): void {
  for (const scope of scopes) grant(scope, roleId);
}

/** Returns the index of the first element that does not sort before `text`. */
function lowerBound(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
