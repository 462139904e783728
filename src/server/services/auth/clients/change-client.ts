// Creates, updates, enables, disables and deletes clients, and resets their access tokens.
import type { ClientReply, ClientRequest, CreatedClient } from "../../../../api/auth/clients.ts";
import { clientEndpoints } from "../../../../api/auth/endpoints/clients.ts";
import { ApiError } from "../../../../lib/errors.ts";
import type { Caller } from "../../../core/caller.ts";
import { parseJson } from "../../../core/json.ts";
import { changeBy, type AuthContext } from "../context.ts";
import { STATIC_PREFIX } from "../directory/static-clients.ts";
import { refuseScopes } from "../scopes/refuse-scopes.ts";
import { newAccessToken, tokenContext } from "./access-tokens.ts";
import { renderedClient } from "./rendered-client.ts";
import * as store from "./store/clients.ts";

/** How long a repeated creation returns the token of the first one, which may have lost its reply. */
const REPEAT_MS = 15 * 60 * 1000;
/** Concurrent updates of one client; each try loses to another that has succeeded. */
const MAX_TRIES = 5;

export const createClient =
  (ctx: AuthContext) =>
  async (caller: Caller, clientId: string, request: ClientRequest): Promise<CreatedClient> => {
    const { scopes = [], description } = request;
    refuseStatic(clientId);
    refuseScopes(scopes);
    caller.authorize(clientEndpoints.createClient, { clientId, scopes });
    const created = await ctx.keyRing.writing(async () => {
      const accessToken = newAccessToken();
      const client = {
        clientId,
        description,
        accessToken: await ctx.keyRing.encrypt(accessToken, tokenContext(clientId)),
        scopes: JSON.stringify(scopes),
        expires: request.expires,
        deleteOnExpiration: request.deleteOnExpiration ?? false,
      };
      const row = await store.insertClient(ctx.db, client, changeBy(ctx, caller));
      return row && { row, accessToken };
    });
    const { row, accessToken } = created ?? (await repeated(ctx, clientId, request));
    await ctx.refreshed();
    return { ...renderedClient(ctx, row), accessToken };
  };

/** Returns a client that the same call has created before. Throws `RequestConflict` if it was another one. */
async function repeated(
  ctx: AuthContext,
  clientId: string,
  { scopes = [], description, expires }: ClientRequest,
): Promise<{ row: store.ClientRow; accessToken: string }> {
  const row = await store.readClient(ctx.db, clientId);
  const isSame =
    row &&
    !row.disabled &&
    row.created.getTime() > ctx.clock.now() - REPEAT_MS &&
    row.expires.getTime() === Date.parse(expires) &&
    row.description === description &&
    row.scopes === JSON.stringify(scopes);
  if (!isSame || row.access_token === null)
    throw new ApiError(
      "RequestConflict",
      `There is a client with the id '${clientId}' already. Choose another id, or change it with updateClient.`,
    );
  return { row, accessToken: await ctx.keyRing.decrypt(row.access_token, tokenContext(clientId)) };
}

export const updateClient =
  (ctx: AuthContext) =>
  async (caller: Caller, clientId: string, request: ClientRequest): Promise<ClientReply> => {
    refuseStatic(clientId);
    if (request.scopes) refuseScopes(request.scopes);
    // Callers without this scope do not learn whether the client exists.
    caller.authorize(clientEndpoints.updateClient, { clientId, scopesAdded: [] });
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await store.readClient(ctx.db, clientId);
      if (!found) throw unknownClient(clientId);
      const scopesAdded = addedToClient(parseJson(found.scopes), request.scopes ?? []);
      caller.authorize(clientEndpoints.updateClient, { clientId, scopesAdded });
      const to = {
        description: request.description,
        expires: request.expires,
        deleteOnExpiration: request.deleteOnExpiration ?? false,
        scopes: request.scopes ? JSON.stringify(request.scopes) : found.scopes,
      };
      // Under the condition that it has the scopes that were compared: otherwise a caller could restore one that it lacks
      // and that another call has just removed.
      const row = await store.updateClient(ctx.db, clientId, to, found.scopes, changeBy(ctx, caller));
      if (row) return reply(ctx, row);
    }
    throw new ApiError(
      "RequestConflict",
      `Other calls kept changing the scopes of the client '${clientId}'. Nothing was changed. Try again.`,
    );
  };

/** Returns the scopes of an update that a client does not have already. */
export function addedToClient(former: readonly string[], scopes: readonly string[]): string[] {
  const known = new Set(former);
  return scopes.filter((scope) => !known.has(scope));
}

export const setDisabled =
  (ctx: AuthContext, disabled: boolean) =>
  async (caller: Caller, clientId: string): Promise<ClientReply> => {
    const { enableClient, disableClient } = clientEndpoints;
    caller.authorize(disabled ? disableClient : enableClient, { clientId });
    refuseStatic(clientId);
    const row = await store.setDisabled(ctx.db, clientId, disabled, changeBy(ctx, caller));
    if (!row) throw unknownClient(clientId);
    return reply(ctx, row);
  };

export const resetAccessToken =
  (ctx: AuthContext) =>
  async (caller: Caller, clientId: string): Promise<CreatedClient> => {
    caller.authorize(clientEndpoints.resetAccessToken, { clientId });
    refuseStatic(clientId);
    const accessToken = newAccessToken();
    const row = await ctx.keyRing.writing(async () => {
      const encrypted = await ctx.keyRing.encrypt(accessToken, tokenContext(clientId));
      return store.setToken(ctx.db, clientId, encrypted, changeBy(ctx, caller));
    });
    if (!row) throw unknownClient(clientId);
    return { ...(await reply(ctx, row)), accessToken };
  };

export const deleteClient =
  (ctx: AuthContext) =>
  async (caller: Caller, clientId: string): Promise<undefined> => {
    caller.authorize(clientEndpoints.deleteClient, { clientId });
    refuseStatic(clientId);
    await store.deleteClient(ctx.db, clientId, changeBy(ctx, caller));
    await ctx.refreshed();
    return undefined;
  };

async function reply(ctx: AuthContext, row: store.ClientRow): Promise<ClientReply> {
  await ctx.refreshed();
  return renderedClient(ctx, row);
}

export const unknownClient = (clientId: string): ApiError =>
  new ApiError(
    "ResourceNotFound",
    `There is no client with the id '${clientId}'. Check its spelling; listClients returns all of them.`,
  );

function refuseStatic(clientId: string): void {
  if (clientId.startsWith(STATIC_PREFIX))
    throw new ApiError(
      "InputError",
      `clientId "${clientId}" starts with "static/", which is reserved for clients of the configuration. ` +
        "Choose another id, or change the setting auth.staticClients.",
    );
}
