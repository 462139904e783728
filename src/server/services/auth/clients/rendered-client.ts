// Clients as the API returns them.
import type { ClientReply } from "../../../../api/auth/clients.ts";
import { parseJson } from "../../../core/json.ts";
import type { AuthContext } from "../context.ts";
import type { ClientRow } from "./store/clients.ts";

/** Returns a client without its access token. */
export function renderedClient(
  { directory, view }: Pick<AuthContext, "directory" | "view">,
  row: ClientRow,
): ClientReply {
  const scopes = parseJson(row.scopes);
  const known = directory.client(row.client_id);
  // The expansion of a client that signs requests is known. Its row may be newer than the view.
  const isKnown = known !== undefined && JSON.stringify(known.scopes) === row.scopes;
  const expanded = isKnown ? view.expandedOf(known).list : directory.roles.expand(scopes);
  return {
    clientId: row.client_id,
    expires: row.expires.toISOString(),
    description: row.description,
    scopes,
    expandedScopes: [...expanded],
    disabled: row.disabled,
    deleteOnExpiration: row.delete_on_expiration,
    created: row.created.toISOString(),
    lastModified: row.last_modified.toISOString(),
    lastDateUsed: row.last_used.toISOString(),
    lastRotated: row.last_rotated.toISOString(),
  };
}
