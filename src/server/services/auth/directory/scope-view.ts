// The expanded scopes of clients and callers. They are kept until a role changes on which they depend.
import { LRUCache } from "lru-cache";
import { unionOf, type ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import type { Expansion } from "../../../../lib/scopes/roles.ts";
import type { Client } from "./client-directory.ts";
import type { RoleView } from "./role-view.ts";

/** An expansion, and the version of the roles at which it was last known to be right. */
export interface TrackedExpansion extends Expansion {
  checked: number;
}

/** Scopes, and the expansions from which they are made. */
export interface EffectiveScopes {
  readonly scopes: ScopeSet;
  readonly basis: readonly TrackedExpansion[];
}

export interface ScopeView {
  /** Returns the scopes expanded, together with those of the role `anonymous`, which every caller has. */
  effective(scopes: readonly string[]): EffectiveScopes;
  /** Returns the effective scopes of a client. */
  ofClient(client: Client): EffectiveScopes;
  /** Returns the expanded scopes of a client without those of the role `anonymous`. */
  expandedOf(client: Client): ScopeSet;
  /** Returns the scopes that `assume:<roleId>` grants, with that scope itself. */
  expandedRole(roleId: string): ScopeSet;
  readonly anonymous: ScopeSet;
  /** Reports whether no role has changed on which these expansions depend. */
  isCurrent(basis: readonly TrackedExpansion[]): boolean;
}

/** How many roles are kept expanded, for lists. */
const MAX_ROLES = 10_000;

export function createScopeView(roles: RoleView): ScopeView {
  const ofClients = new WeakMap<Client, TrackedExpansion>();
  const ofRoles = new LRUCache<string, TrackedExpansion>({ max: MAX_ROLES });
  // Scopes are expanded one by one, so the expansion of a union is the union of the expansions. The anonymous part is
  // therefore expanded once and kept separately.
  let anonymous = track(["assume:anonymous"]);

  function track(scopes: readonly string[]): TrackedExpansion {
    return { ...roles.expansionOf(scopes), checked: roles.version };
  }

  function isRight(expansion: TrackedExpansion): boolean {
    const { version } = roles;
    if (expansion.checked === version) return true;
    const changed = roles.changedSince(expansion.checked);
    if (changed === undefined || changed.some(expansion.dependsOn)) return false;
    expansion.checked = version;
    return true;
  }

  function currentAnonymous(): TrackedExpansion {
    if (!isRight(anonymous)) anonymous = track(["assume:anonymous"]);
    return anonymous;
  }

  function ownOf(client: Client): TrackedExpansion {
    const cached = ofClients.get(client);
    if (cached && isRight(cached)) return cached;
    const own = track(client.scopes);
    ofClients.set(client, own);
    return own;
  }

  function ofRole(roleId: string): TrackedExpansion {
    const cached = ofRoles.get(roleId);
    if (cached && isRight(cached)) return cached;
    const own = track([`assume:${roleId}`]);
    ofRoles.set(roleId, own);
    return own;
  }

  function withAnonymous(own: TrackedExpansion): EffectiveScopes {
    const all = currentAnonymous();
    return { scopes: unionOf(own.scopes, all.scopes), basis: [own, all] };
  }

  return {
    effective: (scopes) => withAnonymous(track(scopes)),
    ofClient: (client) => withAnonymous(ownOf(client)),
    expandedOf: (client) => ownOf(client).scopes,
    expandedRole: (roleId) => ofRole(roleId).scopes,
    get anonymous() {
      return currentAnonymous().scopes;
    },
    isCurrent: (basis) => basis.every(isRight),
  };
}
