// The scopes that an update adds to a client or role. They depend on it as it is, so the request alone does not suffice.
import type { authApi } from "../../../../api/auth/index.ts";
import type { Role, RoleResolver } from "../../../../lib/scopes/roles.ts";
import type { ScopeParamsByMethod } from "../../../core/scope-params.ts";
import { addedToClient } from "../clients/change-client.ts";
import type { Client } from "../directory/client-directory.ts";
import { addedToRole } from "../roles/change-role.ts";

export interface ReadableDirectory {
  readonly roles: Pick<RoleResolver, "expandToSet">;
  /** Both throw unless the caller may read it. */
  client(clientId: string): Client | undefined;
  role(roleId: string): Role | undefined;
}

export const addedScopes = (of: ReadableDirectory): ScopeParamsByMethod<(typeof authApi)["endpoints"]> => ({
  updateClient({ params: { clientId }, body: { scopes } }) {
    if (scopes === undefined) return { scopesAdded: [] };
    const client = of.client(clientId);
    return client ? { scopesAdded: addedToClient(client.scopes, scopes) } : {};
  },
  updateRole({ params: { roleId }, body: { scopes } }) {
    const role = of.role(roleId);
    return role ? { scopesAdded: addedToRole(of.roles, role.scopes, scopes) } : {};
  },
});
