// What a change of a role does to the scopes of others.
import { createRoleIndex, type Role } from "./roles.ts";
import { unionOf, type ScopeSet } from "./scope-set.ts";

/** Scopes in normal form: those that are satisfied only after the change, and those that were only before. */
export interface ScopeChange {
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

export interface RolePreview {
  /** Returns how what these scopes grant would change. Undefined: not at all. */
  ofScopes(assigned: readonly string[]): ScopeChange | undefined;
  /** Does the same for a client, which also has the scopes of `everyone`. */
  ofClient(assigned: readonly string[]): ScopeChange | undefined;
}

/**
 * Previews that a role gets these scopes, or with `null` is deleted. `everyone` are scopes that each client has besides its
 * own.
 */
export function previewRole(
  roles: Iterable<Role>,
  { roleId, scopes }: { readonly roleId: string; readonly scopes: readonly string[] | null },
  everyone: readonly string[],
): RolePreview {
  const before = createRoleIndex(roles);
  const after = createRoleIndex(before.values());
  if (scopes === null) after.delete(roleId);
  else after.set({ roleId, scopes });
  const all = { before: before.expandToSet(everyone), after: after.expandToSet(everyone) };
  const ofEveryone = changeBetween(all.before, all.after);

  return {
    ofScopes(assigned) {
      const own = before.expansionOf(assigned);
      return own.dependsOn(roleId) ? changeBetween(own.scopes, after.expandToSet(assigned)) : undefined;
    },
    ofClient(assigned) {
      const own = before.expansionOf(assigned);
      if (own.dependsOn(roleId))
        return changeBetween(
          unionOf(own.scopes, all.before),
          unionOf(after.expandToSet(assigned), all.after),
        );
      // Its own scopes stay the same. They may include what everyone gains or loses.
      return (
        ofEveryone &&
        changeOf(
          ofEveryone.gained.filter((scope) => !own.scopes.satisfies(scope)),
          ofEveryone.lost.filter((scope) => !own.scopes.satisfies(scope)),
        )
      );
    },
  };
}

const changeBetween = (before: ScopeSet, after: ScopeSet): ScopeChange | undefined =>
  changeOf(
    after.list.filter((scope) => !before.satisfies(scope)),
    before.list.filter((scope) => !after.satisfies(scope)),
  );

const changeOf = (gained: readonly string[], lost: readonly string[]): ScopeChange | undefined =>
  gained.length + lost.length > 0 ? { gained, lost } : undefined;
