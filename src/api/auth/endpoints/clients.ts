// Methods on clients.
import { allOf, forEach } from "../../../lib/scopes/template.ts";
import { endpoint } from "../../endpoint.ts";
import { clientFile, clientListFile, createClientReplyFile, createClientRequestFile } from "../clients.ts";
import { clientId, page } from "./params.ts";

const category = "Clients";

export const clientEndpoints = {
  listClients: endpoint({
    method: "GET",
    path: "/clients/",
    query: { prefix: /^[\x20-\x7e]+$/, ...page },
    name: "listClients",
    category,
    stability: "stable",
    title: "List clients",
    description:
      "Returns the clients, ordered by id, in pages. With `prefix`, only those whose ids start with it.",
    scopes: "auth:list-clients",
    heavy: 1,
    reply: clientListFile,
  }),
  client: endpoint({
    method: "GET",
    path: "/clients/*clientId",
    params: { clientId },
    name: "client",
    category,
    stability: "stable",
    title: "Get a client",
    description: "Returns a client, without its access token.",
    scopes: "auth:get-client:<clientId>",
    reply: clientFile,
  }),
  createClient: endpoint({
    method: "PUT",
    path: "/clients/*clientId",
    params: { clientId },
    name: "createClient",
    category,
    stability: "stable",
    title: "Create a client",
    description:
      "Creates a client and returns its access token. The caller needs every scope that it assigns. Idempotent for 15 minutes: repeating the call returns the same token. Ids below `static/` are reserved for the configuration.",
    scopes: allOf("auth:create-client:<clientId>", forEach("scope", "scopes", "<scope>")),
    body: createClientRequestFile,
    reply: createClientReplyFile,
  }),
  updateClient: endpoint({
    method: "POST",
    path: "/clients/*clientId",
    params: { clientId },
    name: "updateClient",
    category,
    stability: "stable",
    title: "Update a client",
    description:
      "Replaces the description, the expiry and, if given, the scopes of a client. The caller needs every scope that it adds.",
    scopes: allOf("auth:update-client:<clientId>", forEach("scope", "scopesAdded", "<scope>")),
    body: createClientRequestFile,
    reply: clientFile,
  }),
  resetAccessToken: endpoint({
    method: "POST",
    path: "/clients/:clientId/reset",
    params: { clientId },
    name: "resetAccessToken",
    category,
    stability: "stable",
    title: "Reset an access token",
    description:
      "Gives a client a new access token and returns it. The former one, and temporary credentials that it signed, are no longer accepted.",
    scopes: "auth:reset-access-token:<clientId>",
    reply: createClientReplyFile,
  }),
  enableClient: endpoint({
    method: "POST",
    path: "/clients/:clientId/enable",
    params: { clientId },
    name: "enableClient",
    category,
    stability: "stable",
    title: "Enable a client",
    description: "Enables a client that was disabled. Idempotent.",
    scopes: "auth:enable-client:<clientId>",
    reply: clientFile,
  }),
  disableClient: endpoint({
    method: "POST",
    path: "/clients/:clientId/disable",
    params: { clientId },
    name: "disableClient",
    category,
    stability: "stable",
    title: "Disable a client",
    description:
      "Refuses all further requests of a client and of temporary credentials that it signed, and ends its event streams, until it is enabled. Idempotent.",
    scopes: "auth:disable-client:<clientId>",
    reply: clientFile,
  }),
  deleteClient: endpoint({
    method: "DELETE",
    path: "/clients/*clientId",
    params: { clientId },
    name: "deleteClient",
    category,
    stability: "stable",
    title: "Delete a client",
    description: "Deletes a client, if it exists. Idempotent.",
    scopes: "auth:delete-client:<clientId>",
  }),
} as const;
