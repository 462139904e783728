// The paginated lists of the auth service. Elements are added and removed without events, as fast as the database allows.
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import type { List } from "./paginated-list.ts";

/** Returns a function for each method that makes a separate list. `newName` returns a name that was not used before. */
export function authLists(db: () => Db, newName: () => string): Readonly<Record<string, () => List>> {
  /** Lists of roles, by the member of the reply. */
  const roles = (
    member: "roles" | "roleIds",
  ): Pick<List, "add" | "remove" | "items" | "key" | "isShared"> => ({
    add: async () => {
      const roleId = newName();
      await db().run(sql`
      insert into roles (role_id, description, scopes, created, last_modified)
      values (${roleId}, '', '[]', now(), now())`);
      return roleId;
    },
    remove: (roleId) => db().run(sql`delete from roles where role_id = ${roleId}`),
    items: (reply) => reply[member] ?? [],
    key: (item) => (typeof item === "string" ? item : (item["roleId"] ?? "")),
    isShared: true,
  });
  /** Lists of audit entries, which are distinguished by a member that is not that of the list. */
  const entries = (of: "entity_id" | "client_id", params: (id: string) => Record<string, string>): List => {
    const id = newName();
    return {
      params: params(id),
      add: async () => {
        const other = newName();
        const [entityId, clientId] = of === "entity_id" ? [id, other] : [other, id];
        await db().run(sql`
        insert into audit_log (entity_type, entity_id, client_id, action)
        values ('secret', ${entityId}, ${clientId}, 'updated')`);
        return other;
      },
      remove: (other) => db().run(sql`delete from audit_log where ${other} in (entity_id, client_id)`),
      items: ({ auditHistory = [] }) => auditHistory,
      key: ({ entityId = "", clientId = "" }) => (of === "entity_id" ? clientId : entityId),
    };
  };
  return {
    "auth.listClients": () => ({
      add: async () => {
        const clientId = newName();
        await db().run(sql`
        insert into clients (client_id, description, scopes, expires, delete_on_expiration, created, last_modified,
          last_rotated)
        values (${clientId}, '', '[]', now(), false, now(), now(), now())`);
        return clientId;
      },
      remove: (clientId) => db().run(sql`delete from clients where client_id = ${clientId}`),
      items: ({ clients = [] }) => clients,
      key: ({ clientId = "" }) => clientId,
      isShared: true,
    }),
    "auth.listRoles2": () => roles("roles"),
    "auth.listRoleIds": () => roles("roleIds"),
    "auth.getEntityHistory": () => entries("entity_id", (entityId) => ({ entityType: "secret", entityId })),
    "auth.listAuditHistory": () => entries("client_id", (clientId) => ({ clientId })),
  };
}
