// Roles as the API returns them.
import type { RoleReply } from "../../../../api/auth/roles.ts";
import { parseJson } from "../../../core/json.ts";
import type { AuthContext } from "../context.ts";
import type { RoleRow } from "./store.ts";

export const renderedRole = ({ view }: Pick<AuthContext, "view">, row: RoleRow): RoleReply => ({
  roleId: row.role_id,
  scopes: parseJson(row.scopes),
  description: row.description,
  created: row.created.toISOString(),
  lastModified: row.last_modified.toISOString(),
  expandedScopes: [...view.expandedRole(row.role_id).list],
});
