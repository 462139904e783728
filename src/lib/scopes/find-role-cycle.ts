// Finds cycles among roles: a role that grants itself, directly or through others.
import { createRoleIndex, filled, type Role, type RoleResolver } from "./roles.ts";

/**
 * Returns the ids of a cycle through `role`, which begins and ends with its id, or undefined if there is none. `roles` are
 * the others; they may contain the role as it was. A parameter counts as every text, so a cycle that needs a certain one is
 * found too.
 *
 * Only a cycle through the changed role can be new, so the others need no search.
 */
export function findRoleCycle(role: Role, roles: Pick<RoleResolver, "assumedBy">): string[] | undefined {
  const own = createRoleIndex([role]);
  /** Returns the roles that a role assumes directly, with every value of its parameter. */
  function rolesOf({ roleId, scopes }: Role): Role[] {
    const any = { parameter: roleId.endsWith("*") ? "" : undefined, isOpen: true };
    const assumed = new Map<string, Role>();
    for (const scope of scopes)
      for (const index of [roles, own])
        index.assumedBy(filled(scope, any), (found) => assumed.set(found.roleId, found));
    return [...assumed.values()];
  }

  const seen = new Set<string>();
  // A stack of its own: with thousands of roles in a chain, recursion would exceed the stack of calls.
  const path = [{ roleId: role.roleId, assumed: rolesOf(role) }];
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const next = last.assumed.pop();
    if (next === undefined) path.pop();
    else if (next.roleId === role.roleId) return [...path.map(({ roleId }) => roleId), next.roleId];
    else if (!seen.has(next.roleId)) {
      seen.add(next.roleId);
      path.push({ roleId: next.roleId, assumed: rolesOf(next) });
    }
  }
  return undefined;
}
