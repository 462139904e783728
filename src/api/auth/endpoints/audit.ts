// Methods that return who changed what.
import { endpoint } from "../../endpoint.ts";
import { auditHistoryFile } from "../audit.ts";
import { clientId, page } from "./params.ts";

const category = "Audit";

export const auditEndpoints = {
  getEntityHistory: endpoint({
    method: "GET",
    path: "/audit/:entityType/*entityId",
    params: { entityType: /^(client|role|secret|worker-pool|hook|oidc-key)$/, entityId: /^[\x20-\x7e]+$/ },
    query: page,
    name: "getEntityHistory",
    category,
    stability: "stable",
    title: "Get the history of an entity",
    description:
      "Returns the changes of a client, role, secret, worker pool, hook or key for tokens of tasks in the last 30 days, the latest first, in pages.",
    scopes: "auth:audit-history:<entityType>",
    reply: auditHistoryFile,
  }),
  listAuditHistory: endpoint({
    method: "GET",
    path: "/clients/:clientId/audit",
    params: { clientId },
    query: page,
    name: "listAuditHistory",
    category,
    stability: "stable",
    title: "Get the changes that a client made",
    description: "Returns what the client changed in the last 30 days, the latest first, in pages.",
    scopes: "auth:client-audit-history:<clientId>",
    reply: auditHistoryFile,
  }),
} as const;
