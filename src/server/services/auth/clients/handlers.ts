// The methods on clients over HTTP.
import type { clientEndpoints } from "../../../../api/auth/endpoints/clients.ts";
import type { HandlersOf } from "../../../core/http/serve.ts";
import type { AuthContext } from "../context.ts";
import { createClient, deleteClient, resetAccessToken, setDisabled, updateClient } from "./change-client.ts";
import { listClients, readClient } from "./read-clients.ts";

export function clientHandlers(ctx: AuthContext): HandlersOf<typeof clientEndpoints> {
  const [list, read, create, update] = [
    listClients(ctx),
    readClient(ctx),
    createClient(ctx),
    updateClient(ctx),
  ];
  const [enable, disable] = [setDisabled(ctx, false), setDisabled(ctx, true)];
  const [reset, remove] = [resetAccessToken(ctx), deleteClient(ctx)];
  return {
    listClients: ({ caller, query }) => list(caller, query),
    client: ({ caller, params }) => read(caller, params.clientId),
    createClient: ({ caller, params, body }) => create(caller, params.clientId, body),
    updateClient: ({ caller, params, body }) => update(caller, params.clientId, body),
    resetAccessToken: ({ caller, params }) => reset(caller, params.clientId),
    enableClient: ({ caller, params }) => enable(caller, params.clientId),
    disableClient: ({ caller, params }) => disable(caller, params.clientId),
    deleteClient: ({ caller, params }) => remove(caller, params.clientId),
  };
}
