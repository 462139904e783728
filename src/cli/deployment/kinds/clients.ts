// Clients as a kind of what a deployment folder describes.
import { isDeepStrictEqual } from "node:util";
import Type, { type Static } from "typebox";
import { createClientRequestFile, type ClientReply } from "../../../api/auth/clients.ts";
import { CLIENT_ID_PATTERN } from "../../../api/auth/scopes.ts";
import { exactly } from "../../../api/schema.ts";
import { sortScopes } from "../../../lib/scopes/normal-form.ts";
import type { Client } from "../../../client/connect.ts";
import { paginate } from "../../paginate.ts";
import { added, defineKind, type Change, type Found } from "../kind.ts";
import { scopeProblems } from "../scope-problems.ts";

const definition = exactly({
  ...createClientRequestFile.schema.properties,
  disabled: Type.Optional(Type.Boolean()),
});
type ClientDefinition = Static<typeof definition>;

const complete = (given: ClientDefinition) => ({
  description: given.description,
  expires: new Date(given.expires).toISOString(),
  deleteOnExpiration: given.deleteOnExpiration ?? false,
  disabled: given.disabled ?? false,
  scopes: sortScopes(new Set(given.scopes)),
});

export const clients = defineKind<ClientDefinition>({
  name: "clients",
  noun: "client",
  id: new RegExp(CLIENT_ID_PATTERN),
  idRule: "letters, digits and !@/:.+|_-",
  schema: definition,
  isReserved: (id) => id.startsWith("static/"),
  check: (_, { scopes, expires }) => [
    ...scopeProblems(scopes),
    // The schema admits leap seconds, which have no time in milliseconds.
    ...(typeof expires === "string" && expires.includes(":60")
      ? [{ path: ["expires"], text: "expires must not have a leap second; use the second before" }]
      : []),
  ],
  complete,
  compact({ deleteOnExpiration, disabled, ...rest }) {
    return { ...rest, ...(deleteOnExpiration && { deleteOnExpiration }), ...(disabled && { disabled }) };
  },
  async list({ auth }) {
    const found = new Map<string, Found<ClientDefinition>>();
    const pages = paginate((query) => auth.listClients({ query: { ...query, limit: 1000 } }));
    for await (const page of pages)
      for (const client of page.clients) found.set(client.clientId, { definition: definitionOf(client) });
    return found;
  },
  scopesFor(change) {
    const { id } = change;
    if (change.action === "delete") return [`auth:delete-client:${id}`];
    const { scopes = [], disabled } = change.after;
    if (change.action === "create")
      return [`auth:create-client:${id}`, ...scopes, ...(disabled ? [`auth:disable-client:${id}`] : [])];
    const { definition: before } = change.before;
    return [
      ...(isUpdated(before, change.after) ? [`auth:update-client:${id}`] : []),
      ...added(before.scopes ?? [], scopes),
      ...(before.disabled === disabled ? [] : [`auth:${disabled ? "disable" : "enable"}-client:${id}`]),
    ];
  },
  make,
});

const definitionOf = (client: ClientReply): ClientDefinition => complete(client);

/** Reports whether anything changes that `updateClient` sets. */
const isUpdated = (before: ClientDefinition, after: ClientDefinition): boolean =>
  !isDeepStrictEqual({ ...before, disabled: false }, { ...after, disabled: false });

async function make(
  { auth }: Client,
  change: Change<ClientDefinition>,
  onToken: (accessToken: string) => Promise<void>,
): Promise<void> {
  const params = { clientId: change.id };
  if (change.action === "delete") {
    await auth.deleteClient(params);
    return;
  }
  const { disabled, ...request } = change.after;
  if (change.action === "create") {
    const { accessToken } = await auth.createClient(params, request);
    await onToken(accessToken);
    // If this fails, the next run finds the client enabled and disables it.
    if (disabled) await auth.disableClient(params);
    return;
  }
  // A client that is disabled loses its access first, one that is enabled gets it last.
  const { definition: before } = change.before;
  if (disabled && !before.disabled) await auth.disableClient(params);
  if (isUpdated(before, change.after)) await auth.updateClient(params, request);
  if (!disabled && before.disabled) await auth.enableClient(params);
}
