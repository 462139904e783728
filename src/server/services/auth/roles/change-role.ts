// Creates, updates and deletes roles.
import { roleEndpoints } from "../../../../api/auth/endpoints/roles.ts";
import type { RoleReply, RoleRequest } from "../../../../api/auth/roles.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { findRoleCycle } from "../../../../lib/scopes/find-role-cycle.ts";
import { sortScopes } from "../../../../lib/scopes/normal-form.ts";
import type { Role, RoleResolver } from "../../../../lib/scopes/roles.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import { changeBy, type AuthContext } from "../context.ts";
import { refuseScopes } from "../scopes/refuse-scopes.ts";
import type { InTurn } from "./in-turn.ts";
import { renderedRole } from "./rendered-role.ts";
import * as store from "./store.ts";

export const createRole =
  (ctx: AuthContext, inTurn: InTurn) =>
  async (caller: Caller, roleId: string, { scopes: given, description }: RoleRequest): Promise<RoleReply> => {
    refuseScopes(given);
    caller.authorize(roleEndpoints.createRole, { roleId, scopes: given });
    const scopes = sortScopes(given);
    const role = { roleId, description, scopes: JSON.stringify(scopes) };
    return inTurn(async (version) => {
      const existing = await store.readRole(ctx.db, roleId);
      if (existing && !(existing.description === description && hasScopes(existing, role.scopes)))
        throw new ApiError(
          "RequestConflict",
          `There is a role with the id '${roleId}' already. Choose another id, or change it with updateRole.`,
        );
      if (existing) return renderedRole(ctx, existing);
      check(ctx, { roleId, scopes });
      const row = await store.insertRole(ctx.db, role, { version, ...changeBy(ctx, caller) });
      return row && reply(ctx, row);
    });
  };

export const updateRole =
  (ctx: AuthContext, inTurn: InTurn) =>
  async (caller: Caller, roleId: string, { scopes, description }: RoleRequest): Promise<RoleReply> => {
    refuseScopes(scopes);
    // Callers without this scope do not learn whether the role exists.
    caller.authorize(roleEndpoints.updateRole, { roleId, scopesAdded: [] });
    return inTurn(async (version) => {
      const existing = await store.readRole(ctx.db, roleId);
      if (!existing) throw unknownRole(roleId);
      const scopesAdded = addedToRole(ctx.directory.roles, parseJson(existing.scopes), scopes);
      caller.authorize(roleEndpoints.updateRole, { roleId, scopesAdded });
      check(ctx, { roleId, scopes });
      const role = { roleId, description, scopes: JSON.stringify(scopes) };
      const row = await store.updateRole(ctx.db, role, { version, ...changeBy(ctx, caller) });
      return row && reply(ctx, row);
    });
  };

/** Returns the scopes of an update that a role does not grant already, also through other roles. */
export function addedToRole(
  roles: Pick<RoleResolver, "expandToSet">,
  former: readonly string[],
  scopes: readonly string[],
): string[] {
  const granted = roles.expandToSet(former);
  return scopes.filter((scope) => !granted.satisfies(scope));
}

export const deleteRole =
  (ctx: AuthContext) =>
  async (caller: Caller, roleId: string): Promise<undefined> => {
    caller.authorize(roleEndpoints.deleteRole, { roleId });
    await store.deleteRole(ctx.db, roleId, changeBy(ctx, caller));
    await ctx.refreshed();
    return undefined;
  };

export const unknownRole = (roleId: string): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `There is no role with the id '${roleId}'. Check its spelling; listRoleIds returns all of them.`,
  );

/** Reports whether a role has these scopes, which are sorted. Those of an updated role are in the given order. */
const hasScopes = (row: store.RoleRow, sorted: string): boolean =>
  JSON.stringify(sortScopes(parseJson(row.scopes))) === sorted;

async function reply(ctx: AuthContext, row: store.RoleRow): Promise<RoleReply> {
  await ctx.refreshed();
  return renderedRole(ctx, row);
}

/** Throws `InputError` if a parameter is misplaced, or if the role would grant itself. */
export function check({ directory: { roles } }: Pick<AuthContext, "directory">, role: Role): void {
  refuseScopes(role.scopes, role.roleId);
  const cycle = findRoleCycle(role, roles);
  if (cycle === undefined) return;
  throw new ApiError(
    "InputError",
    `Roles may not contain dependency cycles, found: ${cycle.map((roleId) => `'assume:${roleId}'`).join(" -> ")}. ` +
      "Remove one of these scopes. A scope that ends in a star also assumes the roles that it covers.",
    { details: { cycle: cycle.map((roleId) => `assume:${roleId}`) } },
  );
}
