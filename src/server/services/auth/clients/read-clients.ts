// Reads one client, or a page of them.
import type { ClientReply } from "../../../../api/auth/clients.ts";
import { clientEndpoints } from "../../../../api/auth/endpoints/clients.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, fullPageOf, type PageQuery } from "../../../core/pagination.ts";
import type { AuthContext } from "../context.ts";
import { unknownClient } from "./change-client.ts";
import { renderedClient } from "./rendered-client.ts";
import * as store from "./store/clients.ts";

const MAX_PAGE = 1_000;

export const readClient =
  (ctx: AuthContext) =>
  async (caller: Caller, clientId: string): Promise<ClientReply> => {
    caller.authorize(clientEndpoints.client, { clientId });
    const row = await store.readClient(ctx.db, clientId);
    if (!row) throw unknownClient(clientId);
    return renderedClient(ctx, row);
  };

export const listClients =
  (ctx: AuthContext) =>
  async (
    caller: Caller,
    query: PageQuery & { readonly prefix?: string },
  ): Promise<{ clients: ClientReply[]; continuationToken?: string }> => {
    caller.authorize(clientEndpoints.listClients, {});
    const { after, limit } = decodePage(query, MAX_PAGE);
    const read = await store.listClients(ctx.db, query.prefix ?? "", after, limit + 1);
    const { rows, more } = fullPageOf(read, limit, "scopes", (row) => row.client_id);
    return { clients: rows.map((row) => renderedClient(ctx, row)), ...more };
  };
