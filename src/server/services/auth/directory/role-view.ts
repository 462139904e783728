// The roles in the memory of this process, and which of them have changed.
import {
  createRoleIndex,
  type Role,
  type RoleIndex,
  type RoleResolver,
} from "../../../../lib/scopes/roles.ts";

export interface RoleView extends RoleResolver, Pick<RoleIndex, "get" | "values"> {
  /** Increases with each change. */
  readonly version: number;
  /** Returns the ids of the roles that changed after a version, or undefined if that was too many changes ago. */
  changedSince(version: number): readonly string[] | undefined;
}

export interface ChangingRoles extends RoleView {
  /** Adds or replaces a role. Changes nothing if it has the same scopes already. */
  set(role: Role): void;
  delete(roleId: string): void;
}

/** How many changes are remembered. What was derived from the roles before is derived again. */
const MAX_CHANGES = 1_000;

/** Returns a view of these roles. `fixed` are roles of the configuration: whatever is set, they stay as they are. */
export function createRoleView({
  roles = [],
  fixed = [],
}: { readonly roles?: readonly Role[]; readonly fixed?: readonly Role[] } = {}): ChangingRoles {
  const index = createRoleIndex([...roles, ...fixed]);
  const fixedIds = new Set(fixed.map(({ roleId }) => roleId));
  /** The last of them has led to the current version. */
  let changes: string[] = [];
  let version = 0;

  function changed(roleId: string): void {
    version++;
    changes.push(roleId);
    if (changes.length > 2 * MAX_CHANGES) changes = changes.slice(-MAX_CHANGES);
  }

  return {
    ...index,
    get version() {
      return version;
    },
    changedSince(since) {
      const count = version - since;
      return count > changes.length ? undefined : changes.slice(changes.length - count);
    },
    set(role) {
      if (fixedIds.has(role.roleId) || isSame(index.get(role.roleId)?.scopes, role.scopes)) return;
      index.set(role);
      changed(role.roleId);
    },
    delete(roleId) {
      if (fixedIds.has(roleId) || index.get(roleId) === undefined) return;
      index.delete(roleId);
      changed(roleId);
    },
  };
}

const isSame = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((scope, i) => scope === b[i]);
