// Methods on roles.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { allRolesFile, createRoleRequestFile, roleFile, roleIdListFile, roleListFile } from "../roles.ts";
import { page, roleId } from "./params.ts";

const category = "Roles";

export const roleEndpoints = {
  listRoles: endpoint({
    method: "GET",
    path: "/roles/",
    name: "listRoles",
    category,
    stability: "stable",
    title: "List roles",
    description: "Returns all roles, ordered by id. `listRoles2` returns them in pages.",
    scopes: "auth:list-roles",
    heavy: 1,
    reply: allRolesFile,
  }),
  listRoles2: endpoint({
    method: "GET",
    path: "/roles2/",
    query: page,
    name: "listRoles2",
    category,
    stability: "stable",
    title: "List roles in pages",
    description: "Returns the roles, ordered by id. Without `limit`, it returns all of them.",
    scopes: "auth:list-roles",
    heavy: 1,
    reply: roleListFile,
  }),
  listRoleIds: endpoint({
    method: "GET",
    path: "/roleids/",
    query: page,
    name: "listRoleIds",
    category,
    stability: "stable",
    title: "List role ids",
    description: "Returns the ids of the roles in order. Without `limit`, it returns all of them.",
    scopes: "auth:list-roles",
    reply: roleIdListFile,
  }),
  role: endpoint({
    method: "GET",
    path: "/roles/*roleId",
    params: { roleId },
    name: "role",
    category,
    stability: "stable",
    title: "Get a role",
    description: "Returns a role and the scopes that it grants, also through other roles.",
    scopes: "auth:get-role:<roleId>",
    reply: roleFile,
  }),
  createRole: endpoint({
    method: "PUT",
    path: "/roles/*roleId",
    params: { roleId },
    name: "createRole",
    category,
    stability: "stable",
    title: "Create a role",
    description:
      "Creates a role, which grants its scopes to holders of `assume:<roleId>`. An id that ends in `*` matches all ids with that prefix, and `<..>` in its scopes stands for the rest. The caller needs every scope that it grants. Roles may not grant each other in a cycle. Idempotent.",
    scopes: allOf("auth:create-role:<roleId>", forEach("scope", "scopes", "<scope>")),
    body: createRoleRequestFile,
    reply: roleFile,
  }),
  updateRole: endpoint({
    method: "POST",
    path: "/roles/*roleId",
    params: { roleId },
    name: "updateRole",
    category,
    stability: "stable",
    title: "Update a role",
    description:
      "Replaces the description and the scopes of a role. The caller needs every scope that the role did not grant before. Concurrent updates are made one after the other.",
    scopes: allOf("auth:update-role:<roleId>", forEach("scope", "scopesAdded", "<scope>")),
    body: createRoleRequestFile,
    reply: roleFile,
  }),
  deleteRole: endpoint({
    method: "DELETE",
    path: "/roles/*roleId",
    params: { roleId },
    name: "deleteRole",
    category,
    stability: "stable",
    title: "Delete a role",
    description: "Deletes a role, if it exists. Idempotent.",
    scopes: "auth:delete-role:<roleId>",
  }),
} as const;
