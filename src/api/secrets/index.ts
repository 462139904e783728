// The contract of the secrets service: named JSON objects that are stored encrypted and expire.
import { endpoint } from "../endpoint.ts";
import { monitoringEndpoints, service } from "../service.ts";
import { secretFile, secretListFile } from "./schemas.ts";

const params = { name: /^[\x20-\x7e]{1,1000}$/ };
const category = "Secrets Service";

export const secretsApi = service({
  name: "secrets",
  version: "v1",
  title: "Secrets",
  description:
    "Stores JSON objects, such as credentials, by name. They are encrypted in the database. Tasks read those for which they have scopes.",
  endpoints: {
    ...monitoringEndpoints,
    set: endpoint({
      method: "PUT",
      path: "/secret/*name",
      params,
      name: "set",
      category,
      stability: "stable",
      title: "Create or replace a secret",
      description:
        "Stores an object under a name until it expires. Replaces any secret of that name. Idempotent. A body has at most 2 MiB.",
      scopes: "secrets:set:<name>",
      body: secretFile,
      // A secret of 1 MiB fits.
      bodyLimit: 2 * 2 ** 20,
      secretMembers: ["secret"],
    }),
    remove: endpoint({
      method: "DELETE",
      path: "/secret/*name",
      params,
      name: "remove",
      category,
      stability: "stable",
      title: "Delete a secret",
      description: "Deletes a secret. Succeeds if there is none of that name.",
      scopes: "secrets:set:<name>",
    }),
    get: endpoint({
      method: "GET",
      path: "/secret/*name",
      params,
      name: "get",
      category,
      stability: "stable",
      title: "Read a secret",
      description:
        "Returns the object and its expiry. Returns 404 if there is no such secret, or if it has expired.",
      scopes: "secrets:get:<name>",
      reply: secretFile,
    }),
    list: endpoint({
      method: "GET",
      path: "/secrets",
      query: { continuationToken: /./, limit: /^[0-9]+$/ },
      name: "list",
      category,
      stability: "stable",
      title: "List secrets",
      description: "Returns the names of all secrets that have not expired, 1000 on a page.",
      scopes: "secrets:list-secrets",
      reply: secretListFile,
    }),
  },
  exchanges: {},
});
