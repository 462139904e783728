// Schemas of roles.
import Type, { type Static } from "typebox";
import { DateTime, exactly, named } from "../schema.ts";
import { MAX_SCOPES, RoleId, scopes } from "./scopes.ts";

const Description = Type.String({ maxLength: 10240, description: "What the role is for, in Markdown." });

export const createRoleRequestFile = named(
  "v1/create-role-request.json",
  exactly({
    scopes: scopes({ maxItems: MAX_SCOPES, description: "The scopes that the role grants." }),
    description: Description,
  }),
);
export type RoleRequest = Static<typeof createRoleRequestFile.schema>;

export const roleFile = named(
  "v1/get-role-response.json",
  exactly({
    roleId: RoleId,
    scopes: scopes({ uniqueItems: false, description: "The scopes that the role grants." }),
    description: Description,
    created: DateTime,
    lastModified: DateTime,
    expandedScopes: scopes({
      description: "The scopes of a holder of `assume:<roleId>`, with that scope and those of further roles.",
    }),
  }),
);
export type RoleReply = Static<typeof roleFile.schema>;

const more = { continuationToken: Type.Optional(Type.String()) };

export const allRolesFile = named(
  "v1/list-roles-response.json",
  Type.Array(roleFile.schema, { uniqueItems: true }),
);
export const roleListFile = named(
  "v1/list-roles2-response.json",
  exactly({ roles: Type.Array(roleFile.schema, { uniqueItems: true }), ...more }),
);
export const roleIdListFile = named(
  "v1/list-role-ids-response.json",
  exactly({ roleIds: Type.Array(Type.String(), { uniqueItems: true }), ...more }),
);
