// Patterns of path and query parameters that several methods use.
import { CLIENT_ID_PATTERN, ROLE_ID_PATTERN } from "../scopes.ts";

export const clientId = new RegExp(CLIENT_ID_PATTERN);
export const roleId = new RegExp(ROLE_ID_PATTERN);
export const page = { continuationToken: /./, limit: /^[0-9]+$/ } as const;
