// Roles as a kind of what a deployment folder describes.
import { createRoleRequestFile, type RoleRequest } from "../../../api/auth/roles.ts";
import { ROLE_ID_PATTERN } from "../../../api/auth/scopes.ts";
import { sortScopes } from "../../../lib/scopes/normal-form.ts";
import { compileScopes } from "../../../lib/scopes/scope-set.ts";
import { paginate } from "../../paginate.ts";
import { defineKind, type Found } from "../kind.ts";
import { scopeProblems } from "../scope-problems.ts";

const complete = ({ description, scopes }: RoleRequest): RoleRequest => ({
  description,
  scopes: sortScopes(new Set(scopes)),
});

export const roles = defineKind<RoleRequest>({
  name: "roles",
  noun: "role",
  id: new RegExp(ROLE_ID_PATTERN),
  idRule: "printable ASCII characters",
  schema: createRoleRequestFile.schema,
  check: (id, { scopes }) => scopeProblems(scopes, id),
  complete,
  compact: (definition) => definition,
  async list({ auth }) {
    const found = new Map<string, Found<RoleRequest>>();
    const pages = paginate((query) => auth.listRoles2({ query: { ...query, limit: 1000 } }));
    for await (const page of pages)
      for (const { roleId, expandedScopes, ...role } of page.roles)
        found.set(roleId, { definition: complete(role), expandedScopes });
    return found;
  },
  scopesFor(change) {
    const { id } = change;
    if (change.action === "delete") return [`auth:delete-role:${id}`];
    if (change.action === "create") return [`auth:create-role:${id}`, ...change.after.scopes];
    const former = compileScopes(change.before.expandedScopes ?? change.before.definition.scopes);
    return [`auth:update-role:${id}`, ...change.after.scopes.filter((scope) => !former.satisfies(scope))];
  },
  async make({ auth }, change) {
    const params = { roleId: change.id };
    if (change.action === "create") await auth.createRole(params, change.after);
    else if (change.action === "update") await auth.updateRole(params, change.after);
    else await auth.deleteRole(params);
  },
});
