// Schemas of scopes and ids, which several methods use.
import Type from "typebox";
import { exactly, named } from "../schema.ts";

export const CLIENT_ID_PATTERN = "^[A-Za-z0-9!@/:.+|_-]+$";
export const ROLE_ID_PATTERN = "^[\\x20-\\x7e]+$";

/** The maximum number of scopes of a client or role. */
export const MAX_SCOPES = 10_000;

export const ClientId = Type.String({ pattern: CLIENT_ID_PATTERN });
export const RoleId = Type.String({ pattern: ROLE_ID_PATTERN });
const Scope = Type.String({ pattern: "^[ -~]*$" });

export const scopes = (
  options: { description?: string; default?: string[]; uniqueItems?: boolean; maxItems?: number } = {},
) => Type.Array(Scope, { uniqueItems: true, ...options });

export const scopeSetFile = named("v1/scopeset.json", exactly({ scopes: scopes() }));
