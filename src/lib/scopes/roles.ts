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

/** A role that a scope assumes, and the parameter of its scopes. */
export interface AssumedRole extends Role {
  /** The text that `<..>` stands for. Undefined for a role without a star, whose scopes have no parameter. */
  readonly parameter: string | undefined;
  /** Whether the parameter stands for every text that begins with it. */
  readonly isOpen: boolean;
}

/** The result of an expansion, and which roles it depends on. */
export interface Expansion {
  readonly scopes: ScopeSet;
  /** Reports whether creating, changing or deleting this role would change the result. */
  dependsOn(roleId: string): boolean;
}

/** Roles prepared for expansion. */
export interface RoleResolver {
  /** Returns the scopes and everything that they grant, in normal form. Throws if the expansion does not end. */
  expand(scopes: Iterable<string>): string[];
  /** Like `expand`, but returns a set for look-ups, which does not pay for the normal form until it is read. */
  expandToSet(scopes: Iterable<string>): ScopeSet;
  /** Like `expandToSet`, with the roles that the result depends on. */
  expansionOf(scopes: Iterable<string>): Expansion;
  /**
   * Returns the scopes of the expansion with the first grant of each; the given scopes have none. Stops at `*`, which
   * covers every other scope. Throws if the expansion does not end.
   */
  grants(scopes: Iterable<string>): ReadonlyMap<string, Grant | undefined>;
  /** Calls `visit` with every role that the scope itself assumes, without those that these roles assume. */
  assumedBy(scope: string, visit: (role: AssumedRole) => void): void;
}

/** Roles that change, each in microseconds. */
export interface RoleIndex extends RoleResolver {
  /** Adds a role, or replaces the one with the same id. */
  set(role: Role): void;
  delete(roleId: string): void;
  get(roleId: string): Role | undefined;
  /** All roles, in no particular order. */
  values(): Iterable<Role>;
}

const assume = "assume:";

// Cycles are refused when roles are created. One can still occur, through the configuration or a restored database, and
// `<..>` can then grow with each iteration. Therefore an expansion throws at this many characters: 60,000 scopes of
// usual length, reached within half a second.
const maxCharacters = 4_000_000;

/** Returns a resolver of roles that do not change. */
export const compileRoles = (roles: Iterable<Role>): RoleResolver => createRoleIndex(roles);

/** Indexes roles, so that each expansion costs look-ups by id and prefix instead of a scan of all roles. */
export function createRoleIndex(roles: Iterable<Role> = []): RoleIndex {
  const byId = new Map([...roles].map((role) => [role.roleId, role]));
  const ids = [...byId.keys()].sort();
  /** Star roles by their id without the star. */
  const starRoles = new Map<string, Role>();
  /** How many star roles there are of each length, and these lengths in ascending order. */
  const starCounts = new Map<number, number>();
  let starLengths: readonly number[] = [];
  for (const role of byId.values()) if (role.roleId.endsWith("*")) addStar(role);

  function addStar(role: Role): void {
    const prefix = role.roleId.slice(0, -1);
    if (!starRoles.has(prefix)) countStars(prefix.length, 1);
    starRoles.set(prefix, role);
  }

  function countStars(length: number, change: 1 | -1): void {
    const count = (starCounts.get(length) ?? 0) + change;
    if (count === 0) starCounts.delete(length);
    else starCounts.set(length, count);
    if (count === 0 || (count === 1 && change === 1))
      starLengths = [...starCounts.keys()].sort((a, b) => a - b);
  }

  function assumedBy(scope: string, visit: (role: AssumedRole) => void): void {
    const isStar = scope.endsWith("*");
    if (!scope.startsWith(assume)) {
      if (isStar && assume.startsWith(scope.slice(0, -1))) visitFamily("", visit);
      return;
    }
    const roleId = isStar ? scope.slice(assume.length, -1) : scope.slice(assume.length);
    if (isStar) visitFamily(roleId, visit);
    else {
      const role = byId.get(roleId);
      if (role) visit(assumed(role, undefined, false));
    }
    for (const length of starLengths) {
      if (length > roleId.length) break;
      const role = starRoles.get(roleId.slice(0, length));
      if (role) visit(assumed(role, roleId.slice(length), isStar));
    }
  }

  /** Visits every role whose id starts with `prefix`, and star roles among them with every value of the parameter. */
  function visitFamily(prefix: string, visit: (role: AssumedRole) => void): void {
    for (let i = lowerBound(ids, prefix); i < ids.length; i++) {
      const id = ids[i] ?? "";
      if (!id.startsWith(prefix)) return;
      const role = byId.get(id);
      if (role) visit(assumed(role, id.endsWith("*") ? "" : undefined, id.endsWith("*")));
    }
  }

  /** Calls `onGrant` with every scope that `scope` grants directly. */
  function direct(scope: string, onGrant: (scope: string, roleId: string) => void): void {
    assumedBy(scope, (role) => {
      for (const granted of role.scopes) onGrant(filled(granted, role), role.roleId);
    });
  }

  /** Returns the scopes and everything that they grant, up to the scope `*`, which covers the rest. */
  function closure(scopes: Iterable<string>): Set<string> {
    const reached = new Set(scopes);
    const limit = characterLimit();
    const grant = (scope: string): void => {
      reached.add(scope);
    };
    // Iterating over a Set includes elements that are added during the iteration, so the set is its own work list.
    for (const scope of reached) {
      if (scope === "*") break;
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
    expansionOf(scopes) {
      const reached = closure(scopes);
      const assuming = [...reached].filter(mayAssume);
      let compiled: ScopeSet | undefined;
      return {
        // A preview reads the scopes only of those that a change concerns.
        get scopes() {
          return (compiled ??= compileScopes(reached));
        },
        dependsOn: (roleId) => assuming.some((scope) => assumesRole(scope, roleId)),
      };
    },
    grants,
    assumedBy,
    set(role) {
      const { roleId } = role;
      if (!byId.has(roleId)) ids.splice(lowerBound(ids, roleId), 0, roleId);
      byId.set(roleId, role);
      if (roleId.endsWith("*")) addStar(role);
    },
    delete(roleId) {
      if (!byId.delete(roleId)) return;
      ids.splice(lowerBound(ids, roleId), 1);
      if (!roleId.endsWith("*")) return;
      starRoles.delete(roleId.slice(0, -1));
      countStars(roleId.length - 1, -1);
    },
    get: (roleId) => byId.get(roleId),
    values: () => byId.values(),
  };
}

// A literal, because spreading the role is slow: the 8,000 scopes of 2,000 roles are expanded in 10 ms, and were in 14.
const assumed = (
  { roleId, scopes }: Role,
  parameter: AssumedRole["parameter"],
  isOpen: boolean,
): AssumedRole => ({ roleId, scopes, parameter, isOpen });

/** Returns a function that counts the characters of the scopes of one expansion, and throws above the limit. */
function characterLimit(): (scope: string) => void {
  let characters = 0;
  return (scope) => {
    characters += scope.length;
    if (characters > maxCharacters)
      throw new Error(
        `roles grant each other without end: stopped at a scope of ${scope.length} characters. Remove the role that grants itself a longer one.`,
      );
  };
}

/** Reports whether a scope grants the scopes of roles. `*` covers these anyway. */
const mayAssume = (scope: string): boolean =>
  scope.startsWith(assume) || (scope !== "*" && scope.endsWith("*") && assume.startsWith(scope.slice(0, -1)));

/** Reports whether a scope that may assume roles grants the role, if the role exists. */
function assumesRole(scope: string, roleId: string): boolean {
  const isStar = scope.endsWith("*");
  const held = isStar ? scope.slice(assume.length, -1) : scope.slice(assume.length);
  if (isStar && roleId.startsWith(held)) return true;
  if (roleId.endsWith("*")) return held.startsWith(roleId.slice(0, -1));
  return !isStar && held === roleId;
}

/**
 * Returns a scope of an assumed role with its parameter filled in. If the parameter stands for every text with a prefix, the
 * text after `<..>` is unknown, so the scope ends there with `*`.
 */
export function filled(
  scope: string,
  { parameter, isOpen }: Pick<AssumedRole, "parameter" | "isOpen">,
): string {
  const at = parameter === undefined ? -1 : scope.indexOf("<..>");
  if (at < 0) return scope;
  return `${scope.slice(0, at)}${parameter}${isOpen ? "*" : scope.slice(at + 4)}`;
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
