// The methods on roles over HTTP.
import type { roleEndpoints } from "../../../../api/auth/endpoints/roles.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { AuthContext } from "../context.ts";
import { createRole, deleteRole, updateRole } from "./change-role.ts";
import { createTurns } from "./in-turn.ts";
import { listRoleIds, listRoles, readRole } from "./read-roles.ts";

export function roleHandlers(ctx: AuthContext): HandlersOf<typeof roleEndpoints> {
  const inTurn = createTurns(ctx);
  const [list, ids, read] = [listRoles(ctx), listRoleIds(ctx), readRole(ctx)];
  const [create, update, remove] = [createRole(ctx, inTurn), updateRole(ctx, inTurn), deleteRole(ctx)];
  return {
    listRoles: async ({ caller }) => (await list(caller, {})).roles,
    listRoles2: ({ caller, query }) => list(caller, query),
    listRoleIds: ({ caller, query }) => ids(caller, query),
    role: ({ caller, params }) => read(caller, params.roleId),
    createRole: ({ caller, params, body }) => create(caller, params.roleId, body),
    updateRole: ({ caller, params, body }) => update(caller, params.roleId, body),
    deleteRole: ({ caller, params }) => remove(caller, params.roleId),
  };
}
