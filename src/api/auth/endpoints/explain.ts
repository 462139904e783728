// Methods that explain scopes, and what a change of a role would do.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import {
  explainReplyFile,
  explainRequestFile,
  previewRoleReplyFile,
  previewRoleRequestFile,
} from "../explain.ts";

const category = "Scopes and Auth";

/** As for other lists of scopes: more than enough for those of any client. */
const BODY_LIMIT = 256 * 1024;

export const explainEndpoints = {
  explainScopes: endpoint({
    method: "POST",
    path: "/scopes/explain",
    name: "explainScopes",
    category,
    stability: "experimental",
    title: "Explain scopes",
    description:
      "Reports whether a client, the holder of a role, a list of scopes or the caller may call a method or satisfies a scope expression. Returns the roles and grants that lead to each required scope, or the fewest scopes to add. The caller needs the scopes to read the client, the roles that a given role or list of scopes assumes (`auth:get-role:a/*` for `assume:a/*`), every role in the proofs, and a client or role whose update is explained.",
    scopes: allOf(
      forEach("clientId", "clientIds", "auth:get-client:<clientId>"),
      forEach("roleId", "roleIds", "auth:get-role:<roleId>"),
    ),
    body: explainRequestFile,
    bodyLimit: BODY_LIMIT,
    heavy: 1,
    reply: explainReplyFile,
  }),
  previewRole: endpoint({
    method: "POST",
    path: "/scopes/preview-role",
    name: "previewRole",
    category,
    stability: "experimental",
    title: "Preview a change of a role",
    description:
      "Returns which clients and roles would gain or lose which scopes if a role were created, updated or deleted. Changes nothing. Refuses what updateRole would refuse. Clients and roles that the caller may not read are only counted.",
    scopes: "auth:update-role:<roleId>",
    body: previewRoleRequestFile,
    bodyLimit: BODY_LIMIT,
    heavy: 1,
    reply: previewRoleReplyFile,
  }),
} as const;
